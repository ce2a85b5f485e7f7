// Package topics publishes to topics: by the API of Amazon SNS, at Amazon or at
// whatever speaks it (LocalStack), or by plain HTTP at an address that the
// operator has given for one topic, in the form in which SNS notifies HTTP
// endpoints.
//
// No error shows a secret of the configuration, nor an address, which may hold
// one. The package has no goroutines of its own.
package topics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/uuid"

	"ringdown/internal/chat"
)

// Options say where topics are. The zero value knows none.
type Options struct {
	// Endpoint is the URL of a service that speaks the API of Amazon SNS, or
	// Amazon. Empty: there is none.
	Endpoint        string
	Region          string // of topics whose ARN tells none
	AccessKeyID     string
	SecretAccessKey string
	// Topics are the http:// or https:// URLs of topics, by ARN.
	Topics map[string]string
}

// Amazon is the endpoint that stands for Amazon's own.
const Amazon = "aws"

// patience is how long one call may take.
const patience = 10 * time.Second

// Client publishes. It is safe for concurrent use.
type Client struct {
	topics map[string]string
	web    *http.Client
	sns    *sns.Client // nil: only topics with an address are known
}

// New returns a client. It asks nobody whether the topics are there. Its errors
// name the member of the options as the configuration file spells it.
func New(o Options) (*Client, error) {
	c := &Client{topics: o.Topics, web: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for arn, to := range o.Topics {
		if !strings.HasPrefix(arn, "arn:") {
			return nil, fmt.Errorf("topics: %q is not the ARN of a topic", arn)
		}
		if !isWebURL(to) {
			return nil, fmt.Errorf("topics: the address of %q must be a URL such as http://127.0.0.1:9000/chat", arn)
		}
	}
	if o.Endpoint == "" {
		return c, nil
	}
	if o.AccessKeyID == "" || o.SecretAccessKey == "" {
		return nil, errors.New("endpoint: access-key-id and secret-access-key are required with it")
	}
	opts := sns.Options{
		Region: o.Region, HTTPClient: c.web, Retryer: aws.NopRetryer{}, // whoever publishes tries again
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, ""),
	}
	if o.Endpoint != Amazon {
		if !isWebURL(o.Endpoint) {
			return nil, fmt.Errorf("endpoint: it must be %q or a URL such as http://127.0.0.1:4566", Amazon)
		}
		opts.BaseEndpoint = &o.Endpoint
	}
	c.sns = sns.New(opts)
	return c, nil
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// Close frees connections that are idle.
func (c *Client) Close() { c.web.CloseIdleConnections() }

// Publish implements chat.Publisher.
func (c *Client) Publish(ctx context.Context, topicARN string, m chat.Message) error {
	if to, ok := c.topics[topicARN]; ok {
		return c.post(ctx, to, topicARN, m)
	}
	if c.sns == nil {
		return fmt.Errorf("nothing says where the topic is: the configuration file must give its address in the section streaming, under topics, or the endpoint of a service that has it: %w", chat.ErrUnpublishable)
	}
	attributes := make(map[string]types.MessageAttributeValue, len(m.Attributes))
	for name, value := range m.Attributes {
		attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	_, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: &topicARN, Message: &m.Body, MessageAttributes: attributes}, func(o *sns.Options) {
		if parts := strings.Split(topicARN, ":"); len(parts) == 6 && parts[3] != "" {
			o.Region = parts[3]
		}
	})
	return refused(err)
}

// refused says what the service has against a message.
func refused(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || e.HTTPStatusCode() == 0 {
		return unreached(err)
	}
	what := ""
	if a, ok := errors.AsType[smithy.APIError](err); ok {
		what = " " + a.ErrorCode()
	}
	return verdict(e.HTTPStatusCode(), what)
}

// verdict is what an answer means: a client's error is for good, but for those
// that pass.
func verdict(status int, what string) error {
	switch {
	case status/100 == 2:
		return nil
	case status/100 == 4 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
		return fmt.Errorf("the topic answers %d%s: %w", status, what, chat.ErrUnpublishable)
	default:
		return fmt.Errorf("the topic answers %d%s", status, what)
	}
}

// unreached keeps the address out of an error of the network.
func unreached(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fmt.Errorf("the topic cannot be reached: %w", err)
}

// notification is what SNS posts to HTTP endpoints (Amazon SNS Developer Guide,
// "HTTP/HTTPS notification JSON format"), without a signature.
type notification struct {
	Type, MessageId, TopicArn, Message, Timestamp string
	MessageAttributes                             map[string]attribute
}

type attribute struct{ Type, Value string }

func (c *Client) post(ctx context.Context, to, topicARN string, m chat.Message) error {
	n := notification{
		Type: "Notification", MessageId: uuid.NewString(), TopicArn: topicARN, Message: m.Body,
		Timestamp:         m.At.UTC().Format("2006-01-02T15:04:05.000Z"),
		MessageAttributes: map[string]attribute{},
	}
	for name, value := range m.Attributes {
		n.MessageAttributes[name] = attribute{"String", value}
	}
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return unreached(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Sns-Message-Type", "Notification")
	req.Header.Set("X-Amz-Sns-Topic-Arn", topicARN)
	resp, err := c.web.Do(req)
	if err != nil {
		return unreached(err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection serves again
	return verdict(resp.StatusCode, "")
}
