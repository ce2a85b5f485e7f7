package call

import "ringdown/internal/voice/sip"

// Reasons why a call ends (administrator guide, "Contact records data model",
// DisconnectReason), as far as telephony knows them. That a call was ended by this
// side has no reason of telephony's: "".
const (
	hungUp     = "CUSTOMER_DISCONNECT"
	cancelled  = "TELECOM_ORIGINATOR_CANCEL" // inbound: before the answer
	busy       = "TELECOM_BUSY"
	unanswered = "TELECOM_UNANSWERED"         // network or telephone say: not now
	invalid    = "TELECOM_NUMBER_INVALID"     // ill-formed, unknown, or no longer in use
	blocked    = "TELECOM_POTENTIAL_BLOCKING" // refused for who calls
	timeout    = "TELECOM_TIMEOUT"
	problem    = "TELECOM_PROBLEM" // the far network cannot be reached, or breaks down
)

// ofStatus are the reasons of final answers (RFC 3261 §21, and as noted). All
// others are problems of the network.
var ofStatus = map[int]string{
	486: busy, // Busy Here
	600: busy, // Busy Everywhere

	408: unanswered, // Request Timeout
	480: unanswered, // Temporarily Unavailable
	487: unanswered, // Request Terminated: somebody on the way gave up ringing

	404: invalid, // Not Found
	410: invalid, // Gone
	484: invalid, // Address Incomplete
	485: invalid, // Ambiguous
	604: invalid, // Does Not Exist Anywhere

	403: blocked, // Forbidden
	428: blocked, // Use Identity Header (RFC 8224 §6.2.2)
	433: blocked, // Anonymity Disallowed (RFC 5079)
	436: blocked, // Bad Identity Info (RFC 8224)
	437: blocked, // Unsupported Credential (RFC 8224)
	438: blocked, // Invalid Identity Header (RFC 8224)
	603: blocked, // Decline
	607: blocked, // Unwanted (RFC 8197)
	608: blocked, // Rejected (RFC 8688)
}

// ofCause are the reasons of causes of the telephone network (ITU-T Q.850) in a
// Reason header, which says more than the status that a gateway has made of them
// (RFC 3398 §7.2.4.1). Those that say nothing (16, 31) are not here.
var ofCause = map[int]string{
	1:   invalid,    // unallocated number
	2:   problem,    // no route to the transit network
	3:   problem,    // no route to the destination
	17:  busy,       // user busy
	18:  unanswered, // no user responding
	19:  unanswered, // no answer from the user, who was alerted
	20:  unanswered, // subscriber absent
	21:  blocked,    // call rejected
	22:  invalid,    // number changed
	23:  invalid,    // redirection to a new destination
	26:  invalid,    // non-selected user clearing
	27:  problem,    // destination out of order
	28:  invalid,    // invalid number format
	34:  problem,    // no circuit available
	38:  problem,    // network out of order
	41:  problem,    // temporary failure
	42:  problem,    // switching equipment congestion
	47:  problem,    // resource unavailable
	55:  blocked,    // incoming calls barred within the closed user group
	57:  blocked,    // bearer capability not authorized
	102: problem,    // recovery on timer expiry
	111: problem,    // protocol error
	127: problem,    // interworking
}

// lostOnTheWay are the causes by which a network tells that it has lost a call
// that was answered; all others are somebody who has hung up.
var lostOnTheWay = map[int]bool{27: true, 38: true, 41: true, 42: true, 47: true, 102: true}

// reason is the DisconnectReason of the end of a call.
func reason(ev sip.Event, answered bool) string {
	switch ev.Cause {
	case sip.HungUpHere:
		return ""
	case sip.HungUpThere:
		if lostOnTheWay[ev.Q850] {
			return problem
		}
		return hungUp
	case sip.Cancelled:
		return cancelled
	case sip.Refused:
		if r, known := ofCause[ev.Q850]; known {
			return r
		}
		if r, known := ofStatus[ev.Status]; known {
			return r
		}
		return problem
	case sip.RangOut:
		return unanswered
	case sip.NoAnswer:
		if !answered {
			return timeout
		}
		return problem
	case sip.NoACK, sip.Expired, sip.Failed:
		return problem
	}
	return problem
}
