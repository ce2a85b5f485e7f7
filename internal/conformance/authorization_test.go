package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ringdown/internal/domain"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// noInstance are the operations whose requests name no instance, so that there
// is no wrong one to name. They are still held to everything else.
var noInstance = map[string]string{
	"CreateInstance":      "it makes one",
	"ListInstances":       "it lists them",
	"DescribePhoneNumber": "a number belongs to an account, not to an instance",
}

// noARN are the members that name something without an ARN of its own (AWS
// service authorization reference, "Resource types defined by Amazon
// Connect"), which no policy can therefore name.
var noARN = map[string]bool{"HoursOfOperationOverrideId": true}

// keys makes access keys for principals.
type keys struct {
	manager server.KeyManager
	region  string
}

func (w *world) keys(t testing.TB) keys {
	t.Helper()
	m, err := server.OpenKeys(context.Background(), server.Config{Data: w.server.Data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return keys{m, servertest.Region}
}

// statement is one of a policy.
type statement map[string]any

// principal makes a key of a user whose policy has the statements.
func (k keys) principal(t testing.TB, user string, statements ...statement) caller {
	t.Helper()
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	made, err := k.manager.Create(context.Background(), server.NewKey{UserName: user, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return caller{made.AccessKeyID, made.SecretAccessKey, k.region}
}

var refusalPattern = regexp.MustCompile(`^User: (\S+) is not authorized to perform: (\S+) on resource: (\S+) (because no identity-based policy allows the (\S+) action|with an explicit deny in an identity-based policy)$`)

// refused reads IAM's answer: the resource that the caller may not use the
// operation on. It fails the test when the answer is anything else.
func (w *world) refused(t testing.TB, op *operation, r *reply, user string, explicitly bool) string {
	t.Helper()
	w.check(t, op, r)
	m := refusalPattern.FindStringSubmatch(r.message())
	switch {
	case r.status != http.StatusForbidden || r.code() != "AccessDeniedException" || m == nil:
		t.Fatalf("%s, want an AccessDeniedException in IAM's words", r)
	case m[1] != "arn:aws:iam::123456789012:user/"+user:
		t.Errorf("the principal is %s, want the user %s", m[1], user)
	case m[2] != "connect:"+op.Name || m[5] != "" && m[5] != m[2]:
		t.Errorf("the action is %s, want connect:%s: %s", m[2], op.Name, r.message())
	case explicitly != (m[5] == ""):
		t.Errorf("the refusal should be explicit: %v, is: %s", explicitly, r.message())
	}
	return ownID.ReplaceAllString(m[3], "/user/$${aws:userid}")
}

// ownID ends a resource that each caller has of its own, the user that it is for
// GetFederationToken. A policy names it by the variable.
var ownID = regexp.MustCompile(`/user/AIDA[A-Z2-7]{17}$`)

// TestAuthorization asks for every operation who may use it. Which resources
// an operation touches is learnt from its refusals: each names one that the
// policy did not cover.
func TestAuthorization(t *testing.T) {
	w := newWorld(t)
	k := w.keys(t)
	nobody := k.principal(t, "nobody", statement{"Effect": "Allow", "Action": "connect:NoSuchOperation", "Resource": "*"})
	other := w.newInstance(t)
	somebody := w.newUser(t, nil) // has federation tokens
	somebody.Username = aws.String("somebody")
	_, err := w.server.Connect.CreateUser(t.Context(), somebody)
	servertest.OK(t, err)
	for _, op := range w.bound {
		t.Run(op.Name, func(t *testing.T) {
			in := w.build(t, op, minimal)
			r := w.request(op, in)
			action := "connect:" + op.Name

			resources := []string{w.refused(t, op, w.send(t, nobody, r), "nobody", false)}
			answer := w.learn(t, k, op, r, &resources)
			if answer.status != http.StatusOK && !answered(op, answer) {
				t.Errorf("with a policy for %s on %s: %s", action, resources, answer)
			}
			w.checkResources(t, op, in, resources)

			elsewhere := make([]string, len(resources))
			for i, arn := range resources {
				elsewhere[i] = strings.ReplaceAll(arn, w.instance, other)
			}
			if noInstance[op.Name] == "" && elsewhere[0] != resources[0] {
				away := k.principal(t, "away", statement{"Effect": "Allow", "Action": action, "Resource": elsewhere})
				w.refused(t, op, w.send(t, away, r), "away", false)
			}
			barred := k.principal(t, "barred",
				statement{"Effect": "Allow", "Action": "*", "Resource": "*"},
				statement{"Effect": "Deny", "Action": action, "Resource": resources[len(resources)-1]})
			w.refused(t, op, w.send(t, barred, r), "barred", true)
		})
	}
}

// learn sends a request as somebody who may use the operation on the resources,
// and adds to them whatever the answer says is missing, until the request is
// let through.
func (w *world) learn(t testing.TB, k keys, op *operation, r wire, resources *[]string) *reply {
	t.Helper()
	for range 8 {
		somebody := k.principal(t, "somebody", statement{"Effect": "Allow", "Action": "connect:" + op.Name, "Resource": *resources})
		answer := w.send(t, somebody, r)
		if answer.status != http.StatusForbidden {
			return answer
		}
		*resources = append(*resources, w.refused(t, op, answer, "somebody", false))
	}
	t.Fatalf("no policy is enough: %s", *resources)
	return nil
}

// checkResources checks that the resources are what the request names: ARNs of
// this account and region, in the instance, and among them everything that the
// path names by an id.
func (w *world) checkResources(t testing.TB, op *operation, in object, resources []string) {
	t.Helper()
	all := strings.Join(resources, "\n") + "\n"
	for _, arn := range resources {
		if !strings.HasPrefix(arn, "arn:aws:connect:"+servertest.Region+":123456789012:") {
			t.Errorf("%s is no ARN of this account and region", arn)
		}
		// Phone numbers and traffic distribution groups are outside any instance.
		if id, ok := in["InstanceId"].(string); ok && strings.Contains(arn, ":instance/") && !strings.Contains(arn, "instance/"+id) {
			t.Errorf("%s is not in the instance %s that the request names", arn, id)
		}
	}
	for name, m := range w.model.input(op).Members {
		id, ok := in[name].(string)
		if ok && m.Location == "uri" && name != "InstanceId" && domain.IsUUID(id) && !noARN[name] && !strings.Contains(all, "/"+id+"\n") {
			t.Errorf("no policy can name %s %s, only %s", name, id, resources)
		}
	}
}

// TestWrongInstance sends every operation to instances that it must not find:
// one that does not exist, one of another region, what is no id, and one that
// does not hold what the request names.
func TestWrongInstance(t *testing.T) {
	w := newWorld(t)
	other := w.newInstance(t)
	abroad := w.root
	abroad.region = "eu-west-1"
	for _, op := range w.bound {
		t.Run(op.Name, func(t *testing.T) {
			in, ok := w.inInstance(t, op)
			if !ok {
				if noInstance[op.Name] == "" {
					t.Fatal("the request names no instance. Say in authorization_test.go (noInstance) why, or let its recipe name one.")
				}
				return
			}
			if reason := noInstance[op.Name]; reason != "" {
				t.Fatalf("noInstance says %q, but the request names an instance: take it off the table", reason)
			}
			missing := func(what string, who caller, in object, want string) {
				t.Helper()
				r := w.send(t, who, w.request(op, in))
				w.check(t, op, r)
				if r.code() != want {
					t.Errorf("%s: %s, want %s", what, r, want)
				}
			}
			missing("an unknown instance", w.root, moved(in, w.instance, unknownID).(object), w.notFound(op))
			missing("an instance of another region", abroad, in, w.notFound(op))
			if w.refers(op, in) {
				missing("resources of another instance", w.root, moved(in, w.instance, other).(object), cmp.Or(recipes[op.Name].missing, w.notFound(op)))
			}

			r := w.send(t, w.root, w.request(op, moved(in, w.instance, "no-instance").(object)))
			w.check(t, op, r)
			if m := r.message(); r.code() != w.invalid(op) || !strings.Contains(m, "Invalid parameter: ") && !strings.HasPrefix(m, "InstanceId ") {
				t.Errorf("no id of an instance: %s, want %s", r, w.invalid(op))
			}
		})
	}
}

// inInstance is a right request that names the prepared instance, whether or
// not it has to.
func (w *world) inInstance(t testing.TB, op *operation) (object, bool) {
	t.Helper()
	in := w.build(t, op, minimal)
	if _, ok := w.model.input(op).Members["InstanceId"]; ok {
		in["InstanceId"] = w.instance
	}
	moved, _ := json.Marshal(moved(in, w.instance, ""))
	original, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return in, string(moved) != string(original)
}

// moved is v with another instance in the place of one, in ids and ARNs.
func moved(v any, from, to string) any {
	switch v := v.(type) {
	case object:
		o := object{}
		for k, item := range v {
			o[k] = moved(item, from, to)
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = moved(item, from, to)
		}
		return list
	case string:
		return strings.ReplaceAll(v, from, to)
	default:
		return v
	}
}

// refers reports whether the request names a resource of the instance.
func (w *world) refers(op *operation, in object) bool {
	for name, m := range w.model.input(op).Members {
		id, ok := in[name].(string)
		if !ok || name == "InstanceId" {
			continue
		}
		if _, reference := references[name]; reference && domain.IsUUID(id) || name == "resourceArn" && m.Location == "uri" {
			return true
		}
	}
	return false
}

// notFound is the exception of an operation for what is not there:
// ResourceNotFoundException, or the nearest that it declares.
func (w *world) notFound(op *operation) string {
	for _, code := range []string{"ResourceNotFoundException", "InvalidRequestException", "InvalidParameterException"} {
		if w.model.declared(op)[code] != nil {
			return code
		}
	}
	return "ResourceNotFoundException"
}
