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

// LookUp returns what the language says of a type of action, nil for one that
// it does not know.
func LookUp(name string) *ActionType { return actionTypes[name] }

// endModule is the one action that modules have and flows have not.
const endModule = "EndFlowModuleExecution"

// renamed tells what authors mean who use a name of the console's old export
// format, or of the console itself.
var renamed = map[string]string{
	"PlayPrompt":             "the flow language calls it MessageParticipant",
	"GetUserInput":           "the flow language calls it GetParticipantInput or ConnectParticipantWithLexBot",
	"StoreUserInput":         "the flow language calls it GetParticipantInput",
	"LoopPrompts":            "the flow language calls it MessageParticipantIteratively",
	"Disconnect":             "the flow language calls it DisconnectParticipant",
	"SetQueue":               "the flow language calls it UpdateContactTargetQueue",
	"Transfer":               "the flow language calls it TransferContactToQueue, TransferToFlow or TransferParticipantToThirdParty",
	"TransferToQueue":        "the flow language calls it TransferContactToQueue",
	"SetAttributes":          "the flow language calls it UpdateContactAttributes",
	"CheckAttribute":         "the flow language calls it Compare",
	"CheckStaffing":          "the flow language calls it CheckMetricData",
	"CheckQueueStatus":       "the flow language calls it CheckMetricData",
	"SetLoggingBehavior":     "the flow language calls it UpdateFlowLoggingBehavior",
	"SetRecordingBehavior":   "the flow language calls it UpdateContactRecordingBehavior",
	"SetVoice":               "the flow language calls it UpdateContactTextToSpeechVoice",
	"SetContactFlow":         "the flow language calls it UpdateContactEventHooks",
	"SetCallBackNumber":      "the flow language calls it UpdateContactCallbackNumber",
	"InvokeExternalResource": "the flow language calls it InvokeLambdaFunction",
	"EndFlow":                "the flow language calls it EndFlowExecution",
}
