package event

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"ringdown/internal/store"
)

// Limits of PutRecords (Amazon Kinesis Data Streams API reference).
const (
	putRecordsMost  = 500
	putRecordsBytes = 5 << 20
)

var streamPattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)

// Kinesis puts entries on a Kinesis data stream, by PutRecords: each Doc is a
// record, and its contact's id the partition key, so that the entries of a
// contact stay in their order.
type Kinesis struct {
	client *kinesis.Client
	http   *http.Client
	stream string
}

// NewKinesis returns the sink of a stream. It does not ask whether the stream is
// there. The error names the option that is wrong, as the configuration calls
// it; a wrong stream is an ErrStreamName.
func NewKinesis(at Service, stream string) (*Kinesis, error) {
	if err := at.check(); err != nil {
		return nil, err
	}
	if !streamPattern.MatchString(stream) {
		return nil, ErrStreamName
	}
	s := &Kinesis{http: newClient(), stream: stream}
	s.client = kinesis.New(kinesis.Options{
		Region: at.Region, BaseEndpoint: at.baseEndpoint(), Credentials: at.credentials(), HTTPClient: s.http,
		Retryer: aws.NopRetryer{}, // the feed asks again
	})
	return s, nil
}

// ErrStreamName says what the name of a Kinesis data stream must be.
var ErrStreamName = errors.New("must be the name of a Kinesis data stream: letters, digits, _, . and -, at most 128")

// Close frees the connections.
func (s *Kinesis) Close() { s.http.CloseIdleConnections() }

// Deliver makes one call of PutRecords.
func (s *Kinesis) Deliver(ctx context.Context, entries []*store.Entry) ([]*store.Entry, error) {
	picked := wave(entries, putRecordsMost, putRecordsBytes, func(e *store.Entry) int { return len(e.Doc) + len(e.Owner) })
	call := make([]types.PutRecordsRequestEntry, len(picked))
	for i, e := range picked {
		call[i] = types.PutRecordsRequestEntry{Data: e.Doc, PartitionKey: &e.Owner}
	}
	out, err := s.client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &s.stream, Records: call})
	if err != nil {
		return entries, called(err)
	}
	if len(out.Records) != len(picked) {
		return entries, fmt.Errorf("PutRecords tells of %d records, %d were put", len(out.Records), len(picked))
	}
	delivered := map[*store.Entry]bool{}
	for i, result := range out.Records {
		if result.ErrorCode == nil {
			delivered[picked[i]] = true
		} else if err == nil {
			err = fmt.Errorf("PutRecords: %s: %s", *result.ErrorCode, aws.ToString(result.ErrorMessage))
		}
	}
	return without(entries, delivered), err
}
