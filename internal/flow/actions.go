package flow

import "slices"

// actionTypes are all types by name. The tables follow the four pages of the
// API reference: participant, contact and flow control actions, interactions.
var actionTypes = func() map[string]*ActionType {
	all := map[string]*ActionType{}
	for _, t := range slices.Concat(participantActions, contactActions, controlActions, interactions) {
		all[t.Name] = &t
	}
	return all
}()

// endModule is the one action that modules have and flows have not.
const endModule = "EndFlowModuleExecution"

// renamed tells authors who use a name of the console's old export format, or
// of the console itself, what the flow language calls it.
var renamed = map[string]string{
	"CheckAttribute":         "the flow language calls it Compare",
	"CheckQueueStatus":       "the flow language calls it CheckMetricData",
	"CheckStaffing":          "the flow language calls it CheckMetricData",
	"Disconnect":             "the flow language calls it DisconnectParticipant",
	"EndFlow":                "the flow language calls it EndFlowExecution",
	"GetUserInput":           "the flow language calls it GetParticipantInput or ConnectParticipantWithLexBot",
	"InvokeExternalResource": "the flow language calls it InvokeLambdaFunction",
	"LoopPrompts":            "the flow language calls it MessageParticipantIteratively",
	"PlayPrompt":             "the flow language calls it MessageParticipant",
	"SetAttributes":          "the flow language calls it UpdateContactAttributes",
	"SetCallBackNumber":      "the flow language calls it UpdateContactCallbackNumber",
	"SetContactFlow":         "the flow language calls it UpdateContactEventHooks",
	"SetLoggingBehavior":     "the flow language calls it UpdateFlowLoggingBehavior",
	"SetQueue":               "the flow language calls it UpdateContactTargetQueue",
	"SetRecordingBehavior":   "the flow language calls it UpdateContactRecordingBehavior",
	"SetVoice":               "the flow language calls it UpdateContactTextToSpeechVoice",
	"StoreUserInput":         "the flow language calls it GetParticipantInput",
	"Transfer":               "the flow language calls it TransferContactToQueue, TransferToFlow or TransferParticipantToThirdParty",
	"TransferToQueue":        "the flow language calls it TransferContactToQueue",
}

// ActionTypes are all types of actions, in the order of the tables. They are
// shared: nobody changes them.
func ActionTypes() []*ActionType {
	var all []*ActionType
	for _, t := range slices.Concat(participantActions, contactActions, controlActions, interactions) {
		all = append(all, actionTypes[t.Name])
	}
	return all
}
