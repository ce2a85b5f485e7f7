package lambda

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/google/uuid"
)

// reference is what a request or the configuration names a function by. What it
// does not say is empty.
type reference struct {
	region, account, name, qualifier string
}

// latest is the version that a reference without qualifier means.
const latest = "$LATEST"

// referencePattern has the forms of the AWS Lambda API reference, Invoke,
// FunctionName: NAME, ACCOUNT:function:NAME or the ARN, each with a version or an
// alias or without.
var referencePattern = regexp.MustCompile(`^(?:(?:arn:aws[a-z-]*:lambda:([a-z0-9-]+):)?([0-9]{12}):function:)?([a-zA-Z0-9_.-]{1,140})(?::(\$LATEST|[a-zA-Z0-9_-]{1,128}))?$`)

func parseReference(s string) (reference, bool) {
	m := referencePattern.FindStringSubmatch(s)
	if m == nil {
		return reference{}, false
	}
	return reference{m[1], m[2], m[3], m[4]}, true
}

// covers reports whether a function is among those that r stands for.
func (r reference) covers(function reference) bool {
	return r.name == function.name &&
		(r.qualifier == "" || r.qualifier == cmp.Or(function.qualifier, latest)) &&
		(r.account == "" || r.account == function.account) &&
		(r.region == "" || r.region == function.region)
}

// precision orders references: the higher, the fewer functions it stands for.
func (r reference) precision() (n int) {
	for i, part := range []string{r.region, r.account, r.qualifier} {
		if part != "" {
			n += 1 << i
		}
	}
	return n
}

// address is where a function, or several, are called by plain HTTP.
type address struct {
	reference
	key string // as the configuration has it
	url string
	web *http.Client
}

// addresses are sorted by falling precision.
type addresses []*address

func newAddresses(functions map[string]string, web *http.Client) (addresses, error) {
	all := make(addresses, 0, len(functions))
	for key, to := range functions {
		ref, ok := parseReference(key)
		if !ok {
			return nil, fmt.Errorf("functions: %q is neither the ARN nor the name of a function", key)
		}
		if !isWebURL(to) {
			return nil, fmt.Errorf("functions: the address of %q must be a URL such as http://127.0.0.1:9000/2015-03-31/functions/function/invocations", key)
		}
		all = append(all, &address{ref, key, to, web})
	}
	slices.SortFunc(all, func(a, b *address) int {
		return cmp.Or(cmp.Compare(b.precision(), a.precision()), cmp.Compare(a.key, b.key))
	})
	return all, nil
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// find returns the address of a function, or nil.
func (a addresses) find(function string) *address {
	ref, ok := parseReference(function)
	if !ok {
		return nil
	}
	for _, at := range a {
		if at.covers(ref) {
			return at
		}
	}
	return nil
}

// invoke posts the event. Headers are those of Invoke in the AWS Lambda API
// reference, so that whoever speaks it understands them and others need not.
// Whether an asynchronous call is answered before the function has run is the
// function's choice; any status of success means that the event was taken.
func (a *address) invoke(ctx context.Context, r Request) (_ Response, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(r.Payload))
	if err != nil {
		return Response{}, false, unreached(r.Function, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Invocation-Type", "RequestResponse")
	if r.Async {
		req.Header.Set("X-Amz-Invocation-Type", "Event")
	}
	resp, err := a.web.Do(req)
	if err != nil {
		return Response{}, false, unreached(r.Function, err)
	}
	defer resp.Body.Close()
	payload, err := io.ReadAll(resp.Body)
	if err != nil {
		return Response{}, false, unreached(r.Function, err)
	}
	kind := resp.Header.Get("X-Amz-Function-Error")
	switch {
	case kind != "":
		return Response{}, false, failed(r.Function, payload, failure{Type: kind})
	case resp.StatusCode/100 != 2:
		status := failure{Type: fmt.Sprintf("HTTP %d", resp.StatusCode), Message: string(payload)}
		return Response{}, transient(resp.StatusCode), failed(r.Function, payload, status)
	case !r.Async && isException(payload):
		// The runtime interface emulator says it with status 200 and no header.
		return Response{}, false, failed(r.Function, payload, failure{})
	}
	res, err := answered(r, payload, orNewID(resp.Header.Get("X-Amzn-Requestid")))
	return res, false, err
}

// orNewID is an id of a call, for a service that gives none.
func orNewID(id string) string {
	if id == "" {
		return uuid.NewString()
	}
	return id
}
