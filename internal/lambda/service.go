package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// service calls functions by the API of AWS Lambda.
type service struct{ client *lambda.Client }

func newService(o Options, web *http.Client) (invoker, error) {
	if o.AccessKeyID == "" || o.SecretAccessKey == "" {
		return nil, errors.New("endpoint: access-key-id and secret-access-key are required with it")
	}
	opts := lambda.Options{
		Region:      o.Region,
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, ""),
		HTTPClient:  web,
		Retryer:     aws.NopRetryer{}, // Invoke retries, for it keeps the limit
	}
	if o.Endpoint != Amazon {
		if !isWebURL(o.Endpoint) {
			return nil, fmt.Errorf("endpoint: it must be %q or a URL such as http://127.0.0.1:4566", Amazon)
		}
		opts.BaseEndpoint = &o.Endpoint
	}
	return service{lambda.New(opts)}, nil
}

func (s service) invoke(ctx context.Context, r Request) (_ Response, again bool, err error) {
	in := &lambda.InvokeInput{FunctionName: &r.Function, Payload: r.Payload, InvocationType: types.InvocationTypeRequestResponse}
	if r.Async {
		in.InvocationType = types.InvocationTypeEvent
	}
	out, err := s.client.Invoke(ctx, in, func(o *lambda.Options) {
		// A function is called where its ARN says that it is.
		if ref, ok := parseReference(r.Function); ok && ref.region != "" {
			o.Region = ref.region
		}
	})
	if err != nil {
		return Response{}, unavailable(err), refused(r.Function, err)
	}
	if out.FunctionError != nil {
		return Response{}, false, failed(r.Function, out.Payload, failure{Type: *out.FunctionError})
	}
	id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
	res, err := answered(r, out.Payload, orNewID(id))
	return res, false, err
}

// unavailable reports whether the service may answer better soon.
func unavailable(err error) bool {
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && transient(e.HTTPStatusCode())
}

func transient(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// refused says what the service has against a call.
func refused(function string, err error) error {
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || e.HTTPStatusCode() == 0 {
		return unreached(function, err)
	}
	const nameless = "UnknownError" // what the SDK calls an error without a code
	if a, ok := errors.AsType[smithy.APIError](err); ok && a.ErrorCode() != nameless {
		return fmt.Errorf("function %q cannot be called: %d %s: %s", function, e.HTTPStatusCode(), a.ErrorCode(), clip(a.ErrorMessage()))
	}
	return fmt.Errorf("function %q cannot be called: the service answers %d", function, e.HTTPStatusCode())
}
