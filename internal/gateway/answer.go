package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"

	"ringdown/internal/fault"
)

// answer is a response before it is written.
type answer struct {
	status      int
	contentType string
	body        []byte
	errorType   fault.Code // x-amzn-ErrorType, empty on success
	preflight   bool
}

// The headers that let a browser call the API, as AWS sends them.
const (
	corsHeaders = "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-Bearer,X-Amz-User-Agent,X-Amz-Content-Sha256,Amz-Sdk-Invocation-Id,Amz-Sdk-Request"
	corsMethods = "GET,PUT,POST,DELETE,OPTIONS"
	corsExposed = "x-amzn-RequestId,x-amzn-ErrorType"
)

func (a answer) write(w http.ResponseWriter, requestID string) {
	h := w.Header()
	h["X-Amzn-Requestid"] = []string{requestID}
	h["Access-Control-Allow-Origin"] = []string{"*"}
	h["Access-Control-Expose-Headers"] = []string{corsExposed}
	if a.preflight {
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Allow-Methods", corsMethods)
	}
	if a.errorType != "" {
		h["X-Amzn-Errortype"] = []string{string(a.errorType)}
	}
	if a.contentType != "" {
		h["Content-Type"] = []string{a.contentType}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	w.WriteHeader(a.status)
	// A client that has gone away cannot be told anything any more.
	_, _ = w.Write(a.body)
}

const (
	jsonType = "application/json"
	xmlType  = "text/xml"
)

func preflight() answer { return answer{status: http.StatusOK, preflight: true} }

// maxGuess bounds the buffer that is made ready for an answer, so that a long
// one is not followed by a long buffer for a short one for ever.
const maxGuess = 64 << 10

// success renders an operation's output. The handler knows how long its last
// answer was, so that the buffer for this one need not grow.
func success(x *exchange, h *handler, output any) (answer, error) {
	if x.op.Service.Protocol == "query" {
		body, err := x.op.EncodeXML(output, x.id)
		return answer{status: http.StatusOK, contentType: xmlType, body: body}, err
	}
	body, err := x.op.Encode(make([]byte, 0, min(h.length.Load(), maxGuess)+64), output)
	h.length.Store(int64(len(body)))
	return answer{status: http.StatusOK, contentType: jsonType, body: body}, err
}

// refusal renders a fault: the members that it carries, and its message under
// Message. The exceptions that carry their problems as a list have no message
// (AWS API reference, InvalidContactFlowException).
func refusal(x *exchange, f *fault.Error) answer {
	status := f.Code.Status()
	if x.op != nil {
		status = x.op.Status(f.Code)
	}
	if x.service != nil && x.service.Protocol == "query" {
		if f.Code == fault.UnknownOperation {
			status = http.StatusBadRequest // there it is InvalidAction (AWS STS API reference, "Common Error Types")
		}
		return answer{status: status, contentType: xmlType, body: x.service.FaultXML(f, x.id), errorType: f.Code}
	}
	members := make(map[string]any, len(f.Members)+1)
	for k, v := range f.Members {
		members[k] = v
	}
	if f.Message != "" {
		members["Message"] = f.Message
	}
	body, err := json.Marshal(members)
	if err != nil {
		body = []byte("{}") // members are plain data; the code still tells
	}
	return answer{status: status, contentType: jsonType, body: body, errorType: f.Code}
}
