package event

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"ringdown/internal/store"
)

// Amazon is the endpoint that stands for Amazon's own.
const Amazon = "aws"

// Service says how a service that speaks an API of Amazon's is reached.
type Service struct {
	Endpoint        string // its URL, or Amazon
	Region          string
	AccessKeyID     string
	SecretAccessKey string
}

// check names the option that is wrong, as the configuration calls it.
func (s Service) check() error {
	u, err := url.Parse(s.Endpoint)
	if s.Endpoint != Amazon && (err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("endpoint must be %q or a URL such as http://127.0.0.1:4566", Amazon)
	}
	if s.AccessKeyID == "" || s.SecretAccessKey == "" {
		return errors.New("access-key-id and secret-access-key are required")
	}
	return nil
}

// baseEndpoint is what the SDK takes: nil for Amazon's own.
func (s Service) baseEndpoint() *string {
	if s.Endpoint == Amazon {
		return nil
	}
	return &s.Endpoint
}

func (s Service) credentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, "")
}

// called is the error of a call of the SDK. What is wrong with the account or
// the settings does not pass by itself soon.
func called(err error) error {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		switch e.ErrorCode() {
		case "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException",
			"ResourceNotFoundException", "ValidationException", "InvalidArgumentException":
			return refusal{err}
		}
	}
	return err
}

// wave picks entries for one call, at most so many and, but for the first, so
// many bytes. It takes one of each contact, the first, so that what a service
// takes of the call, and in which order, cannot turn round the entries of a
// contact.
func wave(entries []*store.Entry, most, bytes int, size func(*store.Entry) int) []*store.Entry {
	type contact struct {
		instance store.PK
		id       string
	}
	seen := map[contact]bool{}
	var picked []*store.Entry
	for _, e := range entries {
		c := contact{e.Instance, e.Owner}
		if seen[c] {
			continue
		}
		seen[c] = true
		if len(picked) == most {
			break
		}
		if bytes -= size(e); bytes < 0 && len(picked) > 0 {
			break
		}
		picked = append(picked, e)
	}
	return picked
}

// without returns the entries that are not among those delivered, in their
// order.
func without(entries []*store.Entry, delivered map[*store.Entry]bool) []*store.Entry {
	left := make([]*store.Entry, 0, len(entries)-len(delivered))
	for _, e := range entries {
		if !delivered[e] {
			left = append(left, e)
		}
	}
	return left
}
