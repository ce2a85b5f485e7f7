package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ringdown/internal/contract"
)

// throttle keeps AWS's request rates: each operation has its own bucket for
// each account and region (Amazon Connect admin guide, "Amazon Connect API
// throttling quotas"). The Participant service's are kept for each account: the
// real service keeps them for each instance, which only the token tells. A
// bucket for each token would be one that strangers can multiply.
type throttle struct {
	mu      sync.Mutex
	buckets map[throttleKey]*rate.Limiter
}

type throttleKey struct {
	account, region string
	operation       *contract.Operation
}

type throttleRate struct {
	perSecond float64
	burst     int
}

var defaultRate = throttleRate{2, 5}

// throttleRates lists the operations that differ from the default.
var throttleRates = func() map[string]throttleRate {
	rates := map[string]throttleRate{}
	for r, operations := range map[throttleRate][]string{
		{5, 8}: {
			"GetMetricData", "GetCurrentMetricData", "StartChatContact", "StartContactStreaming", "StopContactStreaming",
			"CreateParticipant", "CreatePersistentContactAssociation", "UpdateParticipantRoleConfig",
		},
		{10, 10}: {"GetMetricDataV2"},
		{0.5, 1}: {"SearchContacts"},
		{10, 15}: {
			"GetContactAttributes", "UpdateContactAttributes", "DescribeContact", "StopContact", "UpdateContact",
			"ListContactReferences", "BatchPutContact", "SendMessage", "SendEvent",
		},
		{20, 25}: {"TagContact", "UntagContact"},
		{20, 20}: {"UpdateContactRoutingData"},
		{3, 5}: {
			"ActivateEvaluationForm", "CreateEvaluationForm", "DeactivateEvaluationForm", "DeleteContactEvaluation",
			"DeleteEvaluationForm", "DescribeContactEvaluation", "DescribeEvaluationForm", "ListContactEvaluations",
			"ListEvaluationForms", "ListEvaluationFormVersions", "SearchContactEvaluations", "SearchEvaluationForms",
			"StartContactEvaluation", "SubmitContactEvaluation", "UpdateContactEvaluation", "UpdateEvaluationForm",
			"DisconnectParticipant",
		},
		{25, 50}: {"ListIntegrationAssociations"},
		{17, 26}: {"SendChatIntegrationEvent"},
		{6, 9}:   {"CreateParticipantConnection"},
		{8, 12}:  {"GetTranscript", "GetAttachment"},
		{1, 2}:   {"ListRealtimeContactAnalysisSegments"},
		{2, 5}:   {"ListRealtimeContactAnalysisSegmentsV2"},
	} {
		for _, op := range operations {
			rates[op] = r
		}
	}
	return rates
}()

func newThrottle() *throttle { return &throttle{buckets: map[throttleKey]*rate.Limiter{}} }

// allow takes a token out of the bucket of an operation.
func (t *throttle) allow(account, region string, operation *contract.Operation, now time.Time) bool {
	key := throttleKey{account, region, operation}
	t.mu.Lock()
	bucket := t.buckets[key]
	if bucket == nil {
		r, ok := throttleRates[operation.Name]
		if !ok {
			r = defaultRate
		}
		bucket = rate.NewLimiter(rate.Limit(r.perSecond), r.burst)
		t.buckets[key] = bucket
	}
	t.mu.Unlock()
	return bucket.AllowN(now, 1)
}
