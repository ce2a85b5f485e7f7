package conformance

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect"
)

// TestDeletedInstance builds a right request of every operation that names the
// prepared instance or what hangs on it, deletes the instance, and sends them:
// it is not there, for anybody.
func TestDeletedInstance(t *testing.T) {
	w := newWorld(t)
	type late struct {
		op *operation
		r  wire
	}
	var requests []late
	for _, op := range w.bound {
		in := w.build(t, op, minimal)
		if _, has := w.model.input(op).Members["InstanceId"]; has && in["InstanceId"] == nil {
			in["InstanceId"] = w.instance
		}
		r := w.request(op, in)
		if noInstance[op.Name] == "" && strings.Contains(r.path+r.query.Encode()+string(r.body), w.instance) {
			requests = append(requests, late{op, r})
		}
	}
	if _, err := w.server.Connect.DeleteInstance(context.Background(), &connect.DeleteInstanceInput{InstanceId: &w.instance}); err != nil {
		t.Fatal(err)
	}
	for _, l := range requests {
		t.Run(l.op.Name, func(t *testing.T) {
			r := w.send(t, w.root, l.r)
			w.check(t, l.op, r)
			if r.status == http.StatusOK || r.code() != w.notFound(l.op) {
				t.Errorf("%s, want %s", r, w.notFound(l.op))
			}
		})
	}
	if len(requests) < len(w.bound)/2 {
		t.Errorf("only %d of %d operations name the instance", len(requests), len(w.bound))
	}
}
