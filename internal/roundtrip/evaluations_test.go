package roundtrip

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server/servertest"
)

func evaluationKinds() []kind { return []kind{evaluationForms(), contactEvaluations()} }

type object = map[string]any

// send sends a body as it is and returns that of the answer. Forms and answers
// are made of the SDK's unions, which encoding/json cannot read, so these kinds
// are exported and rebuilt as what is on the wire.
func (s *site) send(t testing.TB, method, path string, body any) object {
	t.Helper()
	var raw []byte
	if body != nil {
		var err error
		raw, err = json.Marshal(body)
		ok(t, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, bytes.NewReader(raw))
	ok(t, err)
	sum := sha256.Sum256(raw)
	root := aws.Credentials{AccessKeyID: s.server.Root.AccessKeyID, SecretAccessKey: s.server.Root.SecretAccessKey}
	ok(t, v4.NewSigner().SignHTTP(t.Context(), root, r, hex.EncodeToString(sum[:]), "connect", servertest.Region, time.Now()))
	answer, err := http.DefaultClient.Do(r)
	ok(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	ok(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s of %s", method, path, text, raw)
	}
	var out object
	ok(t, json.Unmarshal(text, &out))
	return out
}

// without leaves members out.
func without(o object, names ...string) object {
	for _, name := range names {
		delete(o, name)
	}
	return o
}

// formDocument is a form with all versions, oldest first.
type formDocument struct {
	Tags     map[string]string
	Active   *int32
	Versions []object
}

func evaluationForms() kind {
	return of("EvaluationForm",
		func(t testing.TB, s *site, n int) string {
			form := formOf(s.a(t, "User", n), n)
			id := s.send(t, http.MethodPut, "/evaluation-forms/"+s.id, form)["EvaluationFormId"].(string)
			s.activate(t, id, 1)
			form["CreateNewVersion"], form["EvaluationFormVersion"], form["Title"] = true, 1, *name("Second", n)
			s.send(t, http.MethodPut, "/evaluation-forms/"+s.id+"/"+id, without(form, "Tags"))
			return id
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListEvaluationForms(t.Context(), &connect.ListEvaluationFormsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, f := range page.EvaluationFormSummaryList {
					all.add(*f.EvaluationFormId, *f.Title, exportForm(t, s, f))
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d formDocument) string {
			d.Versions[0]["Tags"] = d.Tags
			id := ""
			for n, v := range d.Versions {
				locked := v["Locked"].(bool)
				v["EvaluationFormVersion"], v["CreateNewVersion"] = n, true
				without(v, "Locked", "Status", "CreatedBy", "LastModifiedBy", "EvaluationFormArn", "EvaluationFormId")
				if n == 0 {
					id = s.send(t, http.MethodPut, "/evaluation-forms/"+s.id, v)["EvaluationFormId"].(string)
				} else {
					s.send(t, http.MethodPut, "/evaluation-forms/"+s.id+"/"+id, v)
				}
				if locked {
					s.activate(t, id, int32(n+1))
				}
			}
			if d.Active != nil {
				s.activate(t, id, *d.Active)
			}
			return id
		},
		nil)
}

func (s *site) activate(t testing.TB, form string, version int32) {
	t.Helper()
	_, err := s.ActivateEvaluationForm(t.Context(), &connect.ActivateEvaluationFormInput{InstanceId: &s.id, EvaluationFormId: &form, EvaluationFormVersion: version})
	ok(t, err)
}

func exportForm(t testing.TB, s *site, f types.EvaluationFormSummary) formDocument {
	t.Helper()
	d := formDocument{Active: f.ActiveVersion}
	versions, err := s.ListEvaluationFormVersions(t.Context(), &connect.ListEvaluationFormVersionsInput{InstanceId: &s.id, EvaluationFormId: f.EvaluationFormId})
	ok(t, err)
	for _, v := range versions.EvaluationFormVersionSummaryList {
		out := s.send(t, http.MethodGet, "/evaluation-forms/"+s.id+"/"+*f.EvaluationFormId+"?version="+strconv.Itoa(int(v.EvaluationFormVersion)), nil)
		form := out["EvaluationForm"].(object)
		d.Tags = map[string]string{}
		for k, tag := range form["Tags"].(object) {
			d.Tags[k] = tag.(string)
		}
		d.Versions = append(d.Versions, without(form, "Tags", "CreatedTime", "LastModifiedTime"))
	}
	return d
}

// formOf is a form with every member that there is, another for each n.
func formOf(reviewer string, n int) object {
	option := func(ref string, score int) object {
		return object{"RefId": ref, "Text": "the answer " + ref, "Score": score}
	}
	source := func(ref, value string) object {
		return object{"Expression": object{
			"Source": object{"Type": "QUESTION_REF_ID", "RefId": ref}, "Comparator": "IN",
			"Values": []any{object{"Type": "OPTION_REF_ID", "RefId": value}},
		}}
	}
	worst := option("no", 0)
	worst["AutomaticFail"], worst["AutomaticFailConfiguration"] = true, object{"TargetSection": "inner"}
	genAI := object{"AnswerSource": object{"SourceType": "GEN_AI"}}
	question := func(ref, kind string, weight int, properties object) object {
		return object{
			"RefId": ref, "Title": "Question " + ref, "Instructions": "think first", "QuestionType": kind,
			"Weight": weight, "QuestionTypeProperties": properties,
		}
	}
	polite := question("polite", "SINGLESELECT", 60, object{"SingleSelect": object{
		"DisplayAs": "RADIO", "Options": []any{option("yes", 10), worst},
		"Automation": object{"DefaultOptionRefId": "yes", "AnswerSource": object{"SourceType": "CONTACT_LENS_DATA"}, "Options": []any{
			object{"RuleCategory": object{"Category": "Rude", "Condition": "PRESENT", "OptionRefId": "no"}},
		}},
	}})
	reasons := question("reasons", "MULTISELECT", 0, object{"MultiSelect": object{
		"DisplayAs": "CHECKBOX", "Options": []any{object{"RefId": "price", "Text": "Price"}, object{"RefId": "service", "Text": "Service"}},
		"Automation": object{"DefaultOptionRefIds": []any{"price"}, "Options": []any{
			object{"RuleCategory": object{"Category": "Service", "Condition": "NOT_PRESENT", "OptionRefIds": []any{"service", "price"}}},
		}},
	}})
	holds := question("holds", "NUMERIC", 40, object{"Numeric": object{
		"MinValue": 0, "MaxValue": 10, "Automation": object{"PropertyValue": object{"Label": "NUMBER_OF_HOLDS"}},
		"Options": []any{
			object{"MinValue": 0, "MaxValue": n, "Score": 10},
			object{"MinValue": n + 1, "MaxValue": 10, "Score": 1, "AutomaticFail": true},
		},
	}})
	words := question("words", "TEXT", 0, object{"Text": object{"Automation": genAI}})
	words["NotApplicableEnabled"] = true
	words["Enablement"] = object{"Action": "ENABLE", "DefaultAction": "DISABLE", "Condition": object{"Operator": "OR", "Operands": []any{
		source("polite", "no"), object{"Condition": object{"Operator": "AND", "Operands": []any{source("reasons", "service"), source("polite", "no")}}},
	}}}
	mood := question("mood", "NUMERIC", 0, object{"Numeric": object{"MinValue": -5, "MaxValue": 5, "Automation": genAI}})
	ask := func(list ...object) (items []any) {
		for _, q := range list {
			items = append(items, object{"Question": q})
		}
		return items
	}
	inner := object{"Section": object{"RefId": "inner", "Title": "Inner", "Items": ask(polite, words)}}
	return object{
		"Title": *name("Form", n), "Description": "about the agent", "Tags": object{"Team": "quality"},
		"Items": []any{object{"Section": object{
			"RefId": "outer", "Title": "Outer", "Instructions": "all of it", "Weight": 100, "Items": append([]any{inner}, ask(reasons, holds, mood)...),
		}}},
		"ScoringStrategy":             object{"Mode": "QUESTION_ONLY", "Status": "ENABLED"},
		"AutoEvaluationConfiguration": object{"Enabled": true},
		"TargetConfiguration":         object{"ContactInteractionType": []string{"AGENT", "AUTOMATED", "CUSTOMER"}[n%3]},
		"LanguageConfiguration":       object{"FormLanguage": "en-US"},
		"ReviewConfiguration": object{"EligibilityDays": 7 + n, "ReviewNotificationRecipients": []any{
			object{"Type": "USER_ID", "Value": object{"UserId": reviewer}},
		}},
	}
}

// evaluationDocument is an evaluation without the form that it follows: that is
// exported as such. Reviews, acknowledgements and participants come from
// operations and contacts that there are not.
type evaluationDocument struct {
	FormID     string
	Evaluation object
}

func contactEvaluations() kind {
	return of("ContactEvaluation",
		func(t testing.TB, s *site, n int) string {
			out, err := s.StartContactEvaluation(t.Context(), &connect.StartContactEvaluationInput{
				InstanceId: &s.id, ContactId: name("contact", n), EvaluationFormId: aws.String(s.a(t, "EvaluationForm", n)),
				AutoEvaluationConfiguration: &types.AutoEvaluationConfiguration{Enabled: n == 1}, Tags: map[string]string{"Team": "quality"},
			})
			ok(t, err)
			answers := object{
				"polite": object{"Value": object{"StringValue": []string{"yes", "no"}[n%2]}}, "reasons": object{"Value": object{"StringValues": []any{"price", "service"}}},
				"holds": object{"Value": object{"NumericValue": n}}, "mood": object{"Value": object{"NumericValue": 2.5}}, "words": object{"Value": object{"NotApplicable": true}},
			}
			by := servertest.InstanceARN(s.id) + "/agent/" + s.a(t, "User", n)
			change := s.evaluationChange(*out.EvaluationId, n < 2, by)
			change.body["Answers"], change.body["Notes"] = answers, object{"inner": object{"Value": "a note"}}
			s.send(t, http.MethodPost, change.path, change.body)
			return *out.EvaluationId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.SearchContactEvaluations(t.Context(), &connect.SearchContactEvaluationsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, i := range page.EvaluationSearchSummaryList {
					out := s.send(t, http.MethodGet, "/contact-evaluations/"+s.id+"/"+*i.EvaluationId, nil)
					evaluation := without(out["Evaluation"].(object), "CreatedTime", "LastModifiedTime")
					all.add(*i.EvaluationId, *i.EvaluationId, evaluationDocument{*i.EvaluationFormId, evaluation})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d evaluationDocument) string {
			metadata := d.Evaluation["Metadata"].(object)
			start := object{"ContactId": metadata["ContactId"], "EvaluationFormId": d.FormID, "Tags": d.Evaluation["Tags"]}
			if automatic, has := metadata["AutoEvaluation"].(object); has {
				start["AutoEvaluationConfiguration"] = object{"Enabled": automatic["AutoEvaluationEnabled"]}
			}
			id := s.send(t, http.MethodPut, "/contact-evaluations/"+s.id, start)["EvaluationId"].(string)
			change := s.evaluationChange(id, d.Evaluation["Status"] == "SUBMITTED", metadata["EvaluatorArn"].(string))
			change.body["Answers"], change.body["Notes"] = d.Evaluation["Answers"], d.Evaluation["Notes"]
			s.send(t, http.MethodPost, change.path, change.body)
			return id
		},
		nil)
}

type change struct {
	path string
	body object
}

// evaluationChange is an update or a submission by a user.
func (s *site) evaluationChange(id string, submit bool, by string) change {
	c := change{"/contact-evaluations/" + s.id + "/" + id, object{}}
	member := "UpdatedBy"
	if submit {
		c.path, member = c.path+"/submit", "SubmittedBy"
	}
	c.body[member] = object{"ConnectUserArn": by}
	return c
}
