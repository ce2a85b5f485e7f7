package flow

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// documents are the files of a folder of testdata, by name.
func documents(t testing.TB, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents in %s: %v", folder, err)
	}
	all := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".json")] = string(content)
	}
	return all
}

// golden compares what was got with a file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./internal/flow -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func render(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%d:%d %s", p.Line, p.Column, p.Rule)
		if p.Action != "" {
			fmt.Fprintf(&b, " (%s)", p.Action)
		}
		fmt.Fprintf(&b, ": %s\n", p.Message)
		if !strings.HasSuffix(p.Message, p.Path) && p.Path != "" {
			fmt.Fprintf(&b, "    at %s\n", p.Path)
		}
		if p.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", p.Hint)
		}
	}
	return b.String()
}

func TestBrokenDocuments(t *testing.T) {
	rules, types := map[string]bool{}, map[string]bool{}
	for name, content := range documents(t, "broken") {
		t.Run(name, func(t *testing.T) {
			problems := Check(content, Detect(content)).Problems
			if len(problems) == 0 {
				t.Error("nothing is wrong with it")
			}
			golden(t, filepath.Join("testdata", "broken", name+".problems"), render(problems))
			for _, p := range problems {
				rules[p.Rule] = true
			}
		})
		typ, _, _ := strings.Cut(name, "-")
		types[typ] = true
	}
	for _, rule := range []string{
		RuleSyntax, RuleOldExport, RuleVersion, RuleActions, RuleStart, RuleMissing, RuleUnknown, RuleDuplicate,
		RuleValue, RuleEmpty, RuleStatic, RulePath, RuleOnlyOne, RuleOneOf, RuleDepends, RuleIdentifier,
		RuleActionType, RuleFlowType, RuleTransitions, RuleTarget, RuleMissingError, RuleError, RuleConditions,
		RuleOperator, RuleOperand, RuleNesting,
	} {
		if !rules[rule] {
			t.Errorf("no broken document breaks the rule %s", rule)
		}
	}
	for name := range actionTypes {
		if !types[name] {
			t.Errorf("no broken document is named after %s", name)
		}
	}
}

func TestGoodDocuments(t *testing.T) {
	used := map[string]bool{}
	for name, content := range documents(t, "good") {
		t.Run(name, func(t *testing.T) {
			if problems := Check(content, Detect(content)).Problems; len(problems) > 0 {
				t.Error(render(problems))
			}
			d, _ := Parse(content)
			for _, a := range d.Actions {
				used[a.Type] = true
			}
		})
	}
	for name := range actionTypes {
		if !used[name] {
			t.Errorf("no good document uses %s", name)
		}
	}
}

// Every required parameter, error and condition of every type is missed when
// it is taken away, and every unknown one is noticed.
func TestGoodDocumentsBroken(t *testing.T) {
	cases := 0
	for name, content := range documents(t, "good") {
		t.Run(name, func(t *testing.T) {
			typ := Detect(content)
			broken := func(what, path string, start, end int, instead string) {
				cases++
				mutant := content[:start] + instead + content[end:]
				for _, p := range Check(mutant, typ).Problems {
					if strings.HasPrefix(p.Path, path) {
						return
					}
				}
				t.Errorf("%s at %s: no problem there in\n%s", what, path, mutant)
			}
			d, _ := Parse(content)
			for _, a := range d.Actions {
				at := fmt.Sprintf("Actions[%d]", a.Index)
				if a.Parameters != nil {
					for _, p := range a.Spec.Parameters.Properties {
						if i := slices.IndexFunc(a.Parameters.Members, func(m Member) bool { return m.Name == p.Name }); p.Required && i >= 0 {
							m := a.Parameters.Members[i]
							broken("without "+p.Name, at+".Parameters."+p.Name, m.Offset, m.Offset+len(p.Name)+2, `"X-`+p.Name+`"`)
						}
					}
					open := a.Parameters.Offset
					instead := `{"Unknown": "x", `
					if len(a.Parameters.Members) == 0 {
						instead = `{"Unknown": "x"`
					}
					if !a.Spec.Parameters.Open {
						broken("unknown parameter", at+".Parameters.Unknown", open, open+1, instead)
					}
				}
				for i, e := range a.Transitions.Errors {
					offset := e.node.Get("ErrorType").Offset
					where := fmt.Sprintf("%s.Transitions.Errors[%d]", at, i)
					errors := a.Spec.Errors(a.Parameters)
					if slices.Contains(errors.Required, e.ErrorType) {
						where = at + ".Transitions.Errors"
					}
					if !errors.Any || e.ErrorType == noMatch {
						broken("another error", where, offset, offset+len(e.ErrorType)+2, `"AnotherError"`)
					}
				}
				for i, c := range a.Transitions.Conditions {
					offset := c.node.Get("Condition").Get("Operator").Offset
					broken("unknown operator", fmt.Sprintf("%s.Transitions.Conditions[%d].Condition.Operator", at, i),
						offset, offset+len(c.Operator)+2, `"Resembles"`)
				}
			}
		})
	}
	if cases < 300 {
		t.Errorf("only %d cases", cases)
	}
}
