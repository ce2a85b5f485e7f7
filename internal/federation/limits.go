package federation

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ringdown/internal/fault"
	"ringdown/internal/iam"
)

// The limits of sessions (AWS STS API reference, AssumeRole; IAM User Guide,
// "IAM and AWS STS quotas").
const (
	leastSession   = 15 * time.Minute
	usualSession   = time.Hour
	longestChained = time.Hour
	maxPolicy      = 2048 // characters
	maxTags        = 50
	maxTagKey      = 128 // characters
	maxTagValue    = 256
	// packedBytes is what policy and tags of a session may take together. AWS
	// has such a limit and does not tell it; here it keeps session tokens, which
	// travel in a header of every request, far from what servers accept.
	packedBytes = 8 << 10
)

var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	tagText     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

func invalid(format string, args ...any) error {
	return fault.New(fault.ValidationError, format, args...)
}

// length is how long a session lasts that is asked to last for a time, 0 when
// none is named.
func length(asked, longest time.Duration, chained bool) (time.Duration, error) {
	switch {
	case asked == 0:
		return usualSession, nil
	case asked < leastSession:
		return 0, invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to %d",
			asked/time.Second, leastSession/time.Second)
	case chained && asked > longestChained:
		return 0, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case asked > longest:
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	default:
		return asked, nil
	}
}

// checkTags checks session tags and which of them are transitive. The error
// says what is wrong with which key.
func checkTags(tags map[string]string, transitive []string) error {
	if len(tags) > maxTags {
		return fmt.Errorf("there are %d session tags, of at most %d", len(tags), maxTags)
	}
	folded := make(map[string]bool, len(tags))
	for k, v := range tags {
		lower := strings.ToLower(k)
		switch n := utf8.RuneCountInString(k); {
		case n == 0 || n > maxTagKey || !tagText.MatchString(k):
			return fmt.Errorf("a session tag's key has 1 to %d letters, digits, spaces and _.:/=+-@", maxTagKey)
		case strings.HasPrefix(lower, "aws:"):
			return fmt.Errorf("the session tag %s: keys that begin with aws: are reserved", k)
		case folded[lower]:
			return fmt.Errorf("the session tag %s is there twice; case makes no difference", k)
		case utf8.RuneCountInString(v) > maxTagValue || !tagText.MatchString(v):
			return fmt.Errorf("the session tag %s: a value has at most %d letters, digits, spaces and _.:/=+-@", k, maxTagValue)
		}
		folded[lower] = true
	}
	for _, k := range transitive {
		if !folded[strings.ToLower(k)] {
			return errors.New("the specified transitive tag key must be included in the requested tags")
		}
	}
	return nil
}

// checkPolicy checks a session policy.
func checkPolicy(policy []byte) error {
	if len(policy) == 0 {
		return nil
	}
	if n := utf8.RuneCount(policy); n > maxPolicy {
		return invalid("1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to %d; it has %d characters", maxPolicy, n)
	}
	_, err := iam.ParsePolicy(policy)
	return err
}

// packed is how much of packedBytes a session's policy and tags take, in per
// cent.
func packed(s *iam.Session) (int32, error) {
	n := len(s.Policy)
	for k, v := range s.Tags {
		n += len(k) + len(v)
	}
	for _, k := range s.TransitiveTagKeys {
		n += len(k)
	}
	percent := (n*100 + packedBytes - 1) / packedBytes
	if percent > 100 {
		return 0, fault.New(fault.PackedPolicyTooLarge,
			"The session policy and the session tags are too large together: packed size is %d%% of what is allowed.", percent)
	}
	return int32(percent), nil
}

// hasTag reports whether tags have a key, whatever its case.
func hasTag(tags map[string]string, key string) bool {
	_, ok := iam.TagValue(tags, key)
	return ok
}

// hasKey is hasTag for a list.
func hasKey(keys []string, key string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) })
}
