package scim_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// external are the names of the users with an external id.
func (p *provider) external(t testing.TB, id string) string {
	t.Helper()
	g := p.ask(t, "GET", "/Users?filter="+url.QueryEscape(fmt.Sprintf("externalId eq %q", id)), nil).is(t, 200)
	var names []string
	for _, r := range g.at("Resources").([]any) {
		names = append(names, r.(object)["userName"].(string))
	}
	return strings.Join(names, " ")
}

// TestExternalID: the look-up of external ids has what is stored, at each moment
// and after another start, and nothing of another instance.
func TestExternalID(t *testing.T) {
	data := t.TempDir()
	var users []got
	var instance string
	t.Run("as it changes", func(t *testing.T) {
		w := boot(t, func(c *server.Config) { c.Data = data })
		p, other := w.provider(t, types.DirectoryTypeSaml), w.provider(t, types.DirectoryTypeSaml)
		instance = p.instance
		other.ask(t, "POST", "/Users", user("elsewhere", object{"externalId": "x"})).is(t, 201)
		for i, id := range []any{"x", "X", "x", nil} {
			users = append(users, p.ask(t, "POST", "/Users", user(fmt.Sprint("user", i), object{"externalId": id})).is(t, 201))
		}
		servertest.Same(t, "made", p.external(t, "x"), "user0 user2")
		p.ask(t, "PATCH", "/Users/"+users[0].id(), change("replace", "externalId", "y")).is(t, 200)
		p.ask(t, "PATCH", "/Users/"+users[3].id(), change("add", "externalId", "y")).is(t, 200)
		servertest.Same(t, "changed", p.external(t, "y"), "user0 user3")
		servertest.Same(t, "the others", p.external(t, "x"), "user2")
		p.ask(t, "PATCH", "/Users/"+users[0].id(), change("remove", "externalId", nil)).is(t, 200)
		servertest.Same(t, "removed", p.external(t, "y"), "user3")
		p.ask(t, "DELETE", "/Users/"+users[2].id(), nil).is(t, 204)
		servertest.Same(t, "deleted", p.external(t, "x"), "")
		servertest.Same(t, "of the other instance", other.external(t, "x"), "elsewhere")
		// It is no field of the API's own searches.
		_, err := w.Connect.SearchUsers(t.Context(), &connect.SearchUsersInput{InstanceId: &p.instance, SearchCriteria: &types.UserSearchCriteria{
			StringCondition: &types.StringCondition{FieldName: aws.String("externalId"), Value: aws.String("y")},
		}})
		if err == nil || !strings.Contains(err.Error(), "InvalidParameterException") {
			t.Errorf("as a field of SearchUsers: %v", err)
		}
	})
	t.Run("after another start", func(t *testing.T) {
		p := boot(t, func(c *server.Config) { c.Data = data }).providerOf(t, instance)
		servertest.Same(t, "y", p.external(t, "y"), "user3")
		servertest.Same(t, "X", p.external(t, "X"), "user1")
		servertest.Same(t, "x", p.external(t, "x"), "")
	})
}

// BenchmarkExternalID looks users up by their external ids.
func BenchmarkExternalID(b *testing.B) {
	const users, writers = 10_000, 16
	w := boot(b)
	p := w.provider(b, types.DirectoryTypeSaml)
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			for i := n; i < users; i += writers {
				p.ask(b, "POST", "/Users", user(fmt.Sprintf("user%d", i), object{"externalId": fmt.Sprintf("external-%d", i)})).is(b, 201)
			}
		})
	}
	wg.Wait()
	i := 0
	for b.Loop() {
		i = (i + 7919) % users
		if got := p.external(b, fmt.Sprintf("external-%d", i)); got != fmt.Sprintf("user%d", i) {
			b.Fatal(got)
		}
	}
}
