package contact_test

import "testing"

// TestUnserved: what nothing serves takes its error branch, and the flow log says
// why.
func TestUnserved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW",
		`case|GetCase|{"LinkContactToCase":"false","GetLastUpdatedCase":"true","CustomerId":"1"}|end|"Errors":[{"ErrorType":"NoMatchingError","NextAction":"lambda"}]`,
		`lambda|InvokeLambdaFunction|{"LambdaFunctionARN":"arn:aws:lambda:us-east-1:123456789012:function:f","InvocationTimeLimitSeconds":"3"}|end|"Errors":[{"ErrorType":"NoMatchingError","NextAction":"profile"}]`,
		`profile|CreateCustomerProfile|{"ProfileRequestData":{}}|end|`,
		`end|DisconnectParticipant|||`)
	id := w.task(t, "f")
	w.until(t, id, "ended", ended)
	same(t, w.path(t, id), []string{
		"f case NoMatchingError Nothing here serves GetCase.",
		"f lambda NoMatchingError Nothing here serves InvokeLambdaFunction.",
		"f profile NoMatchingError No branch takes the error. Nothing here serves CreateCustomerProfile.",
	})
}
