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
// it is not there, for anybody. Participants' tokens are good for nothing then.
func TestDeletedInstance(t *testing.T) {
	w := newWorld(t)
	p := w.participants(t)
	type late struct {
		w    *world
		op   *operation
		r    wire
		want string
	}
	var requests []late
	for _, op := range w.bound {
		in := w.build(t, op, minimal)
		if _, has := w.model.input(op).Members["InstanceId"]; has && in["InstanceId"] == nil {
			in["InstanceId"] = w.instance
		}
		r := w.request(op, in)
		if noInstance[op.Name] == "" && strings.Contains(r.path+r.query.Encode()+string(r.body), w.instance) {
			requests = append(requests, late{w, op, r, w.notFound(op)})
		}
	}
	if len(requests) < len(w.bound)/2 {
		t.Errorf("only %d of %d operations name the instance", len(requests), len(w.bound))
	}
	for _, op := range p.bound {
		requests = append(requests, late{p, op, p.request(op, p.build(t, op, minimal)), "AccessDeniedException"})
	}
	if _, err := w.server.Connect.DeleteInstance(context.Background(), &connect.DeleteInstanceInput{InstanceId: &w.instance}); err != nil {
		t.Fatal(err)
	}
	for _, l := range requests {
		t.Run(l.op.Name, func(t *testing.T) {
			r := l.w.send(t, l.w.root, l.r)
			l.w.check(t, l.op, r)
			if r.status == http.StatusOK || r.code() != l.want {
				t.Errorf("%s, want %s", r, l.want)
			}
		})
	}
}
