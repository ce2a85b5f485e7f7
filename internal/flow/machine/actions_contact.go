package machine

// contactHandlers are those of flow's contactActions.
var contactHandlers = map[string]handler{
	// actions_contact_queue.go
	"UpdateContactTargetQueue":         {begin: targetQueue, event: answered(targeted)},
	"TransferContactToQueue":           {begin: toQueue, event: answered(func(x *step, _ *Reply) { x.end(Handed, "") })},
	"DequeueContactAndTransferToQueue": {begin: requeue, event: answered(onQueue(askRequeue, requeued))},
	"TransferContactToAgent":           {begin: toAgent, event: toldToAgent},
	"UpdateContactRoutingBehavior":     {begin: routingBehavior},
	"UpdateRoutingCriteria":            {begin: routingCriteria},
	"UpdateContactRoutingCriteria":     {begin: routingCriteria},

	// actions_contact_data.go
	"UpdateContactAttributes":        {begin: updateAttributes, event: answered(done)},
	"UpdateContactData":              {begin: updateData, event: answered(done)},
	"UpdateContactEventHooks":        {begin: eventHooks, event: answered(hooked)},
	"UpdateContactCallbackNumber":    {begin: callbackNumber, event: numberChecked},
	"UpdateContactTextToSpeechVoice": {begin: textToSpeechVoice},
	"TagContact":                     {begin: tag},
	"UnTagContact":                   {begin: untag},
	"UntagContact":                   {begin: untag},

	// actions_contact_media.go
	"UpdateContactRecordingBehavior":             {begin: recordingBehavior},
	"UpdateContactRecordingAndAnalyticsBehavior": {begin: recordingAndAnalytics, event: redactionSet},
	"UpdateContactMediaStreamingBehavior":        {begin: mediaStreaming},
	"UpdateContactMediaProcessing":               {begin: mediaProcessing},
	"UpdatePreviousContactParticipantState":      {begin: participantState, event: answered(done)},
	"CompleteOutboundCall":                       {begin: completeOutboundCall, event: answered(done)},

	// actions_contact_other.go
	"CreateTask":                         {begin: createTask, event: answered(taskCreated)},
	"StartOutboundChatContact":           {begin: startChat, event: answered(done)},
	"CreatePersistentContactAssociation": {begin: persist, event: answered(done)},
	"ResumeContact":                      {begin: resume, event: answered(done)},
	"CreateCase":                         {begin: service, event: served},
	"GetCase":                            {begin: service, event: served},
	"UpdateCase":                         {begin: service, event: served},
	"CreateWisdomSession":                {begin: service, event: served},
	"LoadContactContent":                 {begin: loadContent, event: served},
	"RenderMessageTemplate":              {begin: service, event: served},
	"CreateContact":                      {begin: service, event: served},
	"StartOutboundEmailContact":          {begin: service, event: served},
	"RouteContactToAgent":                {begin: service, event: served},

	// actions_contact_module.go
	"InvokeFlowModule": {begin: invokeModule, event: answered(func(x *step, r *Reply) { x.call(r.Flows[0], x.object("Input")) })},
	endModule:          {begin: returnFromModule},
}

// done goes on after an answer that says nothing but that it was done.
func done(x *step, _ *Reply) { x.next() }

// The properties of a contact whose change is an event, as updatedProperties
// has them (administrator guide, "Amazon Connect contact events", UpdatedProperties;
// that of new routing criteria is made after the RoutingCriteria.Step.Status of
// its example). Other changes are in no event.
const (
	changedAttributes = "UserDefinedAttributes"
	changedTags       = "Tags"
	changedAnalytics  = "ContactLens.ConversationalAnalytics.Configuration"
	changedCriteria   = "RoutingCriteria"
)
