package machine

import "ringdown/internal/domain"

// interactionHandlers are those of flow's interactions.
var interactionHandlers = map[string]handler{
	// actions_interaction_lambda.go
	"InvokeLambdaFunction": {begin: invokeLambda, event: answered(invoked)},

	"CreateCallbackContact": {begin: createCallback, event: answered(onQueue(askCallback, done))},

	// actions_interaction_service.go
	"GetCustomerProfile":                        {begin: profile, event: answered(profiled)},
	"GetCustomerProfileObject":                  {begin: profile, event: answered(profiled)},
	"GetCalculatedAttributesForCustomerProfile": {begin: profile, event: answered(profiled)},
	"CreateCustomerProfile":                     {begin: profile, event: answered(profiled)},
	"UpdateCustomerProfile":                     {begin: profile, event: answered(profiled)},
	"AssociateContactToCustomerProfile":         {begin: profile, event: answered(profiled)},
	"EvaluateDataTableValues":                   {begin: dataTable, event: served},
	"ListDataTableValues":                       {begin: dataTable, event: served},
	"UpsertDataTableValues":                     {begin: dataTable, event: served},
}

// createCallback creates a callback in a queue that is named, else in the
// contact's. Only a caller can be called back (administrator guide, "Transfer
// to queue").
func createCallback(x *step) {
	if !x.voice() || x.callbackTo() == "" {
		x.fail(NoMatchingError)
		return
	}
	withQueue(askCallback)(x)
}

// callbackTo is the number that a callback calls: the one that was set for it,
// else the customer's.
func (x *step) callbackTo() string {
	c := x.subject.Contact
	switch {
	case c.CallbackNumber != "":
		return c.CallbackNumber
	case c.Customer != nil && c.Customer.Type == "TELEPHONE_NUMBER" && c.Customer.Address != nil:
		return *c.Customer.Address
	default:
		return ""
	}
}

// askCallback has the callback created. A flow of its own says when it is
// queued, so that the delay before is not kept (API reference,
// CreateCallbackContact).
func askCallback(x *step, q *domain.ContactQueue) {
	attempts, _ := x.number("MaximumConnectionAttempts")
	r := &CallbackRequest{
		Queue: *q, Number: x.callbackTo(), Attempts: max(attempts, 1), RetryDelay: x.seconds("RetryDelaySeconds"),
		FlowID: x.text("ContactFlowId"),
	}
	if r.FlowID == "" {
		r.InitialDelay = x.seconds("InitialCallDelaySeconds")
	}
	switch id := x.params["CallerId"].(type) {
	case map[string]any:
		r.CallerID = textOf(id["Number"])
	default:
		r.CallerID = textOf(id)
	}
	x.ask(Request{Callback: r})
}
