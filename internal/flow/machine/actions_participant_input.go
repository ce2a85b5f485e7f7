package machine

import (
	"strings"
	"time"
)

// GetParticipantInput is three blocks of the console: "Get customer input" with
// keys, a menu; "Store customer input"; and "Set touchtone buffer behavior".
// What is said of them here is from their pages in the administrator guide.

const (
	// interdigit is how long the next digit is waited for by default.
	interdigit = 5 * time.Second
	// terminator ends input by default.
	terminator = "#"
	// cancelKey deletes what was typed before it.
	cancelKey = "*"
	// mostDigits are kept where the action sets no limit; no telephone number
	// has more.
	mostDigits = 30
	// inputTimeout is what is stored when nothing is typed in.
	inputTimeout = "Timeout"
)

// participantInput begins to collect digits, or turns the buffer for them on or
// off. It works on calls only.
func participantInput(x *step) {
	switch {
	case !x.voice():
		x.fail(NoMatchingError)
	case x.has("EnableDTMFBuffer"):
		bufferInput(x)
	// Encryption needs a key that the instance knows; what was to be encrypted is
	// never kept as it is (docs/divergences.md).
	case x.has("InputEncryption"):
		x.fail(NoMatchingError)
	case x.truth("StoreInput"):
		storeInput(x)
	default:
		menu(x)
	}
}

func bufferInput(x *step) {
	if x.truth("EnableDTMFBuffer") {
		x.run.Buffering = true
		x.next()
		return
	}
	if x.truth("StoreInput") {
		if x.has("InputEncryption") {
			x.fail(NoMatchingError)
			return
		}
		x.keepInput(x.run.Buffer)
	}
	x.run.Buffering, x.run.Buffer = false, ""
	x.next()
}

// menu wants one digit. One that was typed ahead decides at once.
func menu(x *step) {
	if first, rest := cut(x.run.Buffer); first != "" {
		x.run.Buffer = rest
		x.note = "The prompt was skipped."
		x.result(first)
		return
	}
	prompt(x)
}

// storeInput wants several. If some were typed ahead the customer knows the
// prompt; only the rest is waited for.
func storeInput(x *step) {
	w := x.waiting()
	for x.run.Buffer != "" {
		digit, rest := cut(x.run.Buffer)
		x.run.Buffer = rest
		x.note = "The prompt was skipped."
		if collect(x, w, digit) {
			return
		}
	}
	if w.Digits != "" {
		x.timer(x.interdigit())
		return
	}
	x.note = ""
	prompt(x)
}

// cut takes the first digit off.
func cut(digits string) (first, rest string) {
	if digits == "" {
		return "", ""
	}
	return digits[:1], digits[1:]
}

// prompt has the message heard. The time for the first digit begins when it has
// been heard to its end.
func prompt(x *step) {
	if m, ok := x.message(); ok {
		x.say(Say{Messages: []Message{m}, Interruptible: true})
		return
	}
	x.firstDigit()
}

func (x *step) firstDigit() { x.timer(x.seconds("InputTimeLimitSeconds")) }

// interdigit is how long to wait for the next digit.
func (x *step) interdigit() time.Duration {
	if n, ok := numberOf(x.object("DTMFConfiguration")["InterdigitTimeLimitSeconds"]); ok && n > 0 && n <= maxSeconds {
		return time.Duration(n) * time.Second
	}
	return interdigit
}

func inputGiven(x *step, w *Wait, ev Event) bool {
	stores := x.truth("StoreInput")
	switch {
	case ev.Kind == Said && ev.Err != "":
		x.fail(ev.Err)
	case ev.Kind == Said:
		x.firstDigit()
	case ev.Kind == Digit && stores:
		x.hush()
		if collect(x, w, ev.Text) {
			return true
		}
		if w.Digits == "" {
			x.firstDigit()
			return true
		}
		x.timer(x.interdigit())
	case ev.Kind == Digit:
		x.hush()
		x.result(ev.Text)
	case ev.Kind == Expired && stores:
		if w.Digits == "" {
			x.store(storedInput, inputTimeout)
			x.next()
			return true
		}
		finishInput(x, w.Digits)
	case ev.Kind == Expired:
		x.fail("InputTimeLimitExceeded")
	default:
		return false
	}
	return true
}

// collect adds a digit to stored input, and reports whether that completes it.
// Digits that may be the beginning of the terminating sequence do not count
// towards the maximum yet.
func collect(x *step, w *Wait, digit string) bool {
	c := x.object("DTMFConfiguration")
	if digit == cancelKey && !strings.EqualFold(textOf(c["DisableCancelKey"]), "true") {
		w.Digits = ""
		return false
	}
	end := textOf(c["InputTerminationSequence"])
	if end == "" {
		end = terminator
	}
	w.Digits += digit
	if input, ended := strings.CutSuffix(w.Digits, end); ended {
		finishInput(x, input)
		return true
	}
	most := x.mostDigits()
	if len(w.Digits)-begun(w.Digits, end) < most {
		return false
	}
	finishInput(x, w.Digits[:min(most, len(w.Digits))])
	return true
}

// begun is how many digits at the end may be the beginning of a sequence.
func begun(digits, sequence string) int {
	for n := min(len(digits), len(sequence)-1); n > 0; n-- {
		if strings.HasSuffix(digits, sequence[:n]) {
			return n
		}
	}
	return 0
}

// mostDigits is the longest input.
func (x *step) mostDigits() int {
	custom, _ := x.object("InputValidation")["CustomValidation"].(map[string]any)
	if n, ok := numberOf(custom["MaximumLength"]); ok && n > 0 {
		return int(min(n, 1024))
	}
	return mostDigits
}

// finishInput checks and stores input. A telephone number is stored as E.164
// has it.
func finishInput(x *step, digits string) {
	phone, _ := x.object("InputValidation")["PhoneNumberValidation"].(map[string]any)
	if phone != nil {
		var country string
		if textOf(phone["NumberFormat"]) == "Local" {
			country = textOf(phone["CountryCode"])
		}
		number, ok := phoneNumber(digits, country)
		if !ok {
			x.fail("InvalidPhoneNumber")
			return
		}
		digits = number
	}
	x.keepInput(digits)
	x.next()
}
