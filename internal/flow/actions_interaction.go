package flow

import (
	"fmt"

	"ringdown/internal/domain"
)

// interactions are those of "Interactions in the Amazon Connect Flow
// language", and those for data tables of the administrator guide.
var interactions = []ActionType{
	{
		// A synchronous function has 8 seconds; an asynchronous one may be given up
		// to 60 (administrator guide, "AWS Lambda function").
		Name: "InvokeLambdaFunction",
		Parameters: properties(
			required("LambdaFunctionARN", lambda),
			required("InvocationTimeLimitSeconds", static(number(1, 60))),
			optional("InvocationType", oneOf("SYNCHRONOUS", asynchronous)),
			optional("LambdaInvocationAttributes", mapOf(anything())),
			optional("ResponseValidation", object(properties(required("ResponseType", oneOf("STRING_MAP", "JSON"))))),
		).check(func(c *checker, n *Node, a at) {
			limit := n.Get("InvocationTimeLimitSeconds")
			most, all := static(number(1, 8)), static(number(1, 60))
			if limit != nil && !has(n, "InvocationType", asynchronous) && all.fits(limit.Text) && !most.fits(limit.Text) {
				c.invalid(limit.Offset, a.member("InvocationTimeLimitSeconds"), RuleValue, most.wanted())
			}
		}),
		Errors: errorsOf(noMatch),
	},
	{
		Name: "CreateCallbackContact", Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(append(queueOrAgent,
			required("InitialCallDelaySeconds", static(number(1, 259200))),
			required("MaximumConnectionAttempts", static(positive())),
			required("RetryDelaySeconds", static(number(1, 259200))),
			optional("ContactFlowId", resource(domain.KindContactFlow)),
			optional("CallerId", anything()), // a number, or an object with one
		)...).with(atMostOne("QueueId", "AgentId")),
		Errors: errorsOf(noMatch),
	},
	{
		Name: "GetCustomerProfile", Service: "Customer Profiles",
		Parameters: properties(
			required("ProfileRequestData", object(properties(
				optional("IdentifierName", whole()),
				optional("IdentifierValue", whole()),
				optional("SearchCriteria", listOf(object(properties(required("IdentifierName", whole()), required("IdentifierValue", whole()))), 1, 5)),
				optional("LogicalOperator", oneOf("AND", "OR")),
			).with(exactlyOne("IdentifierName", "SearchCriteria")).check(profileSearch))),
			optional("ProfileResponseData", anything()),
		),
		Errors: profileErrors("MultipleFoundError", "NoneFoundError"),
	},
	{
		Name: "GetCustomerProfileObject", Service: "Customer Profiles",
		Parameters: properties(
			required("ProfileRequestData", object(properties(
				required("ProfileId", whole()), required("ObjectType", whole()),
			).open())),
			optional("ProfileResponseData", anything()),
		),
		Errors: errorsOf(noMatch, "NoneFoundError"),
	},
	{
		Name: "GetCalculatedAttributesForCustomerProfile", Service: "Customer Profiles",
		Parameters: properties(
			required("ProfileRequestData", object(properties(required("ProfileId", whole())))),
			optional("ProfileResponseData", anything()),
		),
		Errors: profileErrors("NoneFoundError"),
	},
	{
		Name: "CreateCustomerProfile", Service: "Customer Profiles",
		Parameters: properties(
			required("ProfileRequestData", mapOf(anything())),
			optional("ProfileResponseData", anything()),
		),
		Errors: profileErrors(),
	},
	{
		Name: "UpdateCustomerProfile", Service: "Customer Profiles",
		Parameters: properties(
			required("ProfileRequestData", object(properties(required("ProfileId", whole())).open())),
			optional("ProfileResponseData", anything()),
		),
		Errors: profileErrors(),
	},
	{
		Name: "AssociateContactToCustomerProfile", Service: "Customer Profiles",
		Parameters: properties(required("ProfileRequestData", object(properties(required("ProfileId", whole()), required("ContactId", whole()))))),
		Errors:     profileErrors(),
	},
	// Administrator guide, "Data table".
	{
		Name: "EvaluateDataTableValues", Service: "data tables",
		Parameters: properties(
			required("DataTableId", whole()),
			required("Queries", listOf(object(properties(
				required("QueryName", static(text())),
				required("Attributes", listOf(text(), 1, 0)),
				optional("PrimaryValues", listOf(object(properties(required("AttributeName", text()), required("Value", text()))), 0, 0)),
			)), 1, 5)),
		),
		Errors: errorsOf(noMatch),
	},
	{
		Name: "ListDataTableValues", Service: "data tables",
		Parameters: properties(
			required("DataTableId", whole()),
			optional("PrimaryKeyGroups", listOf(object(properties(
				required("PrimaryKeyGroupName", text()),
				optional("PrimaryValues", tablePrimaryValues),
			)), 0, 5)),
		).open(),
		Errors: errorsOf(noMatch),
	},
	{
		Name: "UpsertDataTableValues", Service: "data tables",
		Parameters: properties(
			required("DataTableId", whole()),
			required("DataTableUpsertAttributes", listOf(object(properties(
				optional("PrimaryKeyGroupName", text()),
				optional("PrimaryValues", tablePrimaryValues),
				optional("Attributes", listOf(object(properties(
					required("Name", text()), optional("Value", text()), optional("UseDefaultValue", anything()),
				)), 0, 0)),
			)), 1, 0)),
			optional("LockVersion", anything()),
		).check(func(c *checker, n *Node, a at) {
			groups, count := n.Get("DataTableUpsertAttributes"), 0
			if groups == nil {
				return
			}
			for _, g := range groups.Items {
				counted := g.Get("Attributes")
				if counted == nil || len(counted.Items) == 0 {
					counted = g.Get("PrimaryValues")
				}
				if counted != nil {
					count += len(counted.Items)
				}
			}
			if count > maxTableWrites {
				c.invalid(groups.Offset, a.member("DataTableUpsertAttributes"), RuleValue, fmt.Sprintf("has %d attributes, at most %d are allowed", count, maxTableWrites))
			}
		}),
		Errors: errorsOf(noMatch),
	},
}

const asynchronous = "ASYNCHRONOUS"

// maxTableWrites is how many attributes one action may write. A group that writes
// none counts with its primary values.
const maxTableWrites = 25

// tablePrimaryValues say which records of a data table an action is about.
var tablePrimaryValues = listOf(object(properties(required("Name", text()), required("Value", text()))), 0, 0)

// profileErrors are the branches of the actions for customer profiles.
func profileErrors(optional ...string) func(*Node) Errors {
	return func(*Node) Errors { return Errors{Required: []string{noMatch}, Optional: optional} }
}

// profileSearch holds the parts of a search together.
func profileSearch(c *checker, n *Node, a at) {
	value, operator := n.Get("IdentifierValue"), n.Get("LogicalOperator")
	switch {
	case n.Get("IdentifierName") != nil && value == nil:
		c.missing(n, a.member("IdentifierValue"), RuleDepends, "IdentifierName needs it")
	case n.Get("IdentifierName") == nil && value != nil:
		c.unknown(value.Offset, a.member("IdentifierValue"), RuleDepends, "only with IdentifierName")
	}
	switch {
	case n.Get("SearchCriteria") != nil && operator == nil:
		c.missing(n, a.member("LogicalOperator"), RuleDepends, "SearchCriteria needs it")
	case n.Get("SearchCriteria") == nil && operator != nil:
		c.unknown(operator.Offset, a.member("LogicalOperator"), RuleDepends, "only with SearchCriteria")
	}
}
