package testcases

import (
	"context"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/store"
)

// roleContent is the role in which contents refer to their test case.
const roleContent store.Role = "test-case"

var testCaseContentKind = catalog.Kind[domain.TestCaseContent]{
	Of:   domain.KindTestCaseContent,
	Name: func(e *domain.TestCaseContent) string { return string(e.Status) },
	Parent: &catalog.Parent[domain.TestCaseContent]{
		Kind: domain.KindTestCase, Role: roleContent,
		ID: func(e *domain.TestCaseContent) string { return string(e.TestCaseID) },
	},
	Check:    (*domain.TestCaseContent).Check,
	NoTags:   true,
	Unlisted: true,
}

type content = catalog.Item[domain.TestCaseContent]

// contents are those of one test case: at least one of the two.
type contents struct{ published, saved *content }

func (t *TestCases) contentsOf(ctx context.Context, rd store.Reader, sc catalog.Scope, id string) (contents, error) {
	all, err := t.contents.AllParts(ctx, rd, sc, id)
	if err != nil {
		return contents{}, err
	}
	var both contents
	for _, c := range all {
		if c.Value.Status == types.TestCaseStatusPublished {
			both.published = c
		} else {
			both.saved = c
		}
	}
	return both, nil
}

// shown is the content that a status asks for, nil when PUBLISHED asks for what
// never was published.
func (c contents) shown(status types.TestCaseStatus) *content {
	switch {
	case status == types.TestCaseStatusSaved:
		return c.latest()
	case c.published == nil && status == "":
		return c.saved
	default:
		return c.published
	}
}

// latest is the content that is being worked on.
func (c contents) latest() *content {
	if c.saved != nil {
		return c.saved
	}
	return c.published
}

// checkContent checks what the instance must have for a content, and a content
// that shall be published for its rules: SAVED does not validate it (AWS API
// reference, CreateTestCase). The flow may be deleted later: deleting one does
// not fail for being in use.
func (t *TestCases) checkContent(ctx context.Context, rd store.Reader, sc catalog.Scope, c *domain.TestCaseContent) error {
	if entry := c.FlowID(); entry != "" {
		id, err := catalog.ID(sc, domain.KindContactFlow, entry)
		if err != nil {
			return err
		}
		id, _, _ = strings.Cut(id, ":") // a version or an alias
		if _, err := rd.Resolve(ctx, sc.PK, domain.KindContactFlow, id); err != nil {
			return err
		}
	}
	if c.Status != types.TestCaseStatusPublished {
		return nil
	}
	problems := flow.CheckTest(c.Content)
	if len(problems) > 0 {
		t.catalog.Logger().LogAttrs(ctx, slog.LevelInfo, "test case content refused",
			slog.String("request", domain.CallerOf(ctx).RequestID), slog.String("instance", string(sc.ID)), flow.Logged(problems))
	}
	return flow.Refusal(fault.InvalidTestCase, problems)
}
