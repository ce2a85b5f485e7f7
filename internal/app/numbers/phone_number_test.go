package numbers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var (
	ok, same    = servertest.OK, servertest.Same
	fails       = servertest.Fails
	instanceARN = servertest.InstanceARN
)

// centre is a booted server with an inventory, whose numbers instances have
// claimed.
type centre struct {
	*servertest.Server
	one, two string            // instances of the region that clients sign for
	far      string            // an instance of another region
	ids      map[string]string // of numbers
}

const farRegion = "eu-west-2"

// The numbers of the first instance, in the order in which they were claimed,
// and those of the others.
var (
	ofOne = []domain.PhoneNumber{
		{Number: "+12025550100", CountryCode: "US", Type: types.PhoneNumberTypeDid, Description: "Front desk"},
		{Number: "+18005550101", CountryCode: "US", Type: types.PhoneNumberTypeTollFree},
		{Number: "+442079460102", CountryCode: "GB", Type: types.PhoneNumberTypeDid},
		{Number: "+80010000030", CountryCode: "AD", Type: types.PhoneNumberTypeUifn},
		{Number: "+442079460104", CountryCode: "GB", Type: types.PhoneNumberTypeShared},
		{Number: "+12025550105", CountryCode: "US", Type: types.PhoneNumberTypeThirdPartyDid, SourceARN: "arn:aws:sms-voice:us-east-1:123456789012:phone-number/12025550105"},
		{Number: "+18005550106", CountryCode: "US", Type: types.PhoneNumberTypeThirdPartyTf},
		{Number: "+12025", CountryCode: "US", Type: types.PhoneNumberTypeShortCode},
	}
	ofTwo = []domain.PhoneNumber{{Number: "+12025550200", CountryCode: "US", Type: types.PhoneNumberTypeDid}}
	ofFar = []domain.PhoneNumber{{Number: "+12025550300", CountryCode: "US", Type: types.PhoneNumberTypeDid}}
)

func boot(t *testing.T) *centre {
	t.Helper()
	c := &centre{ids: map[string]string{}}
	c.Server = servertest.Boot(t, func(cfg *server.Config) {
		for _, n := range slices.Concat(ofOne, ofTwo, ofFar) {
			cfg.Numbers = append(cfg.Numbers, server.Number{Number: n.Number, Type: string(n.Type)})
		}
	})
	c.one, c.two = c.NewInstance(t), c.NewInstance(t)
	made, err := c.from(farRegion).CreateInstance(t.Context(), &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("far"),
		InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	ok(t, err)
	c.far = *made.Id
	c.claim(t, c.Connect, c.one, ofOne)
	c.claim(t, c.Connect, c.two, ofTwo)
	c.claim(t, c.from(farRegion), c.far, ofFar)
	return c
}

func (c *centre) claim(t *testing.T, client *connect.Client, instance string, list []domain.PhoneNumber) {
	t.Helper()
	for _, n := range list {
		description := catalog.Optional(n.Description)
		if n.SourceARN != "" {
			out, err := client.ImportPhoneNumber(t.Context(), &connect.ImportPhoneNumberInput{InstanceId: &instance, SourcePhoneNumberArn: &n.SourceARN, PhoneNumberDescription: description})
			ok(t, err)
			c.ids[n.Number] = *out.PhoneNumberId
			continue
		}
		out, err := client.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{InstanceId: &instance, PhoneNumber: &n.Number, PhoneNumberDescription: description})
		ok(t, err)
		c.ids[n.Number] = *out.PhoneNumberId
		_, err = client.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{InstanceId: &instance, PhoneNumber: &n.Number})
		fails(t, err, fault.InvalidParameter, "Phone number not available: "+n.Number)
	}
}

// from returns a client of another region.
func (c *centre) from(region string) *connect.Client {
	return c.Client(c.Root.AccessKeyID, c.Root.SecretAccessKey, func(o *connect.Options) { o.Region = region })
}

func (c *centre) arn(number string) string {
	return "arn:aws:connect:" + servertest.Region + ":" + servertest.Account + ":phone-number/" + c.ids[number]
}

// pick returns the numbers at some places of a list.
func pick(list []domain.PhoneNumber, places ...int) []string {
	out := []string{}
	for _, i := range places {
		out = append(out, list[i].Number)
	}
	return out
}

func TestListPhoneNumbers(t *testing.T) {
	c := boot(t)
	const did, free, short = types.PhoneNumberTypeDid, types.PhoneNumberTypeTollFree, types.PhoneNumberTypeShortCode
	for name, q := range map[string]struct {
		in   connect.ListPhoneNumbersInput
		want []string
	}{
		"all":               {connect.ListPhoneNumbersInput{}, pick(ofOne, 0, 1, 2, 3, 4, 5, 6, 7)},
		"by three":          {connect.ListPhoneNumbersInput{MaxResults: aws.Int32(3)}, pick(ofOne, 0, 1, 2, 3, 4, 5, 6, 7)},
		"country":           {connect.ListPhoneNumbersInput{PhoneNumberCountryCodes: []types.PhoneNumberCountryCode{"GB"}}, pick(ofOne, 2, 4)},
		"countries, by one": {connect.ListPhoneNumbersInput{PhoneNumberCountryCodes: []types.PhoneNumberCountryCode{"GB", "AD"}, MaxResults: aws.Int32(1)}, pick(ofOne, 2, 3, 4)},
		// Types that the operation does not know count as those that it shows.
		"DID":             {connect.ListPhoneNumbersInput{PhoneNumberTypes: []types.PhoneNumberType{did}}, pick(ofOne, 0, 2, 4, 5)},
		"toll-free":       {connect.ListPhoneNumbersInput{PhoneNumberTypes: []types.PhoneNumberType{free}}, pick(ofOne, 1, 3, 6)},
		"short":           {connect.ListPhoneNumbersInput{PhoneNumberTypes: []types.PhoneNumberType{short}}, pick(ofOne, 7)},
		"shared":          {connect.ListPhoneNumbersInput{PhoneNumberTypes: []types.PhoneNumberType{types.PhoneNumberTypeShared}}, pick(ofOne)},
		"British and DID": {connect.ListPhoneNumbersInput{PhoneNumberTypes: []types.PhoneNumberType{did}, PhoneNumberCountryCodes: []types.PhoneNumberCountryCode{"GB"}}, pick(ofOne, 2, 4)},
	} {
		t.Run(name, func(t *testing.T) {
			in := q.in
			in.InstanceId = &c.one
			got := []string{}
			for p := connect.NewListPhoneNumbersPaginator(c.Connect, &in); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				ok(t, err)
				for _, n := range out.PhoneNumberSummaryList {
					got = append(got, *n.PhoneNumber)
				}
				if in.MaxResults != nil && len(out.PhoneNumberSummaryList) > int(*in.MaxResults) {
					t.Errorf("a page has %d numbers", len(out.PhoneNumberSummaryList))
				}
			}
			same(t, "list", got, q.want)
		})
	}
	t.Run("summary", func(t *testing.T) {
		out, err := c.Connect.ListPhoneNumbers(t.Context(), &connect.ListPhoneNumbersInput{InstanceId: &c.one})
		ok(t, err)
		id := c.ids[ofOne[3].Number]
		same(t, "summary", out.PhoneNumberSummaryList[3], types.PhoneNumberSummary{
			Arn: aws.String(instanceARN(c.one) + "/phone-number/" + id), Id: &id, PhoneNumber: &ofOne[3].Number,
			PhoneNumberCountryCode: "AD", PhoneNumberType: types.PhoneNumberTypeTollFree,
		})
		_, err = c.Connect.ListTagsForResource(t.Context(), &connect.ListTagsForResourceInput{ResourceArn: out.PhoneNumberSummaryList[3].Arn})
		fails(t, err, fault.ResourceNotFound)
	})
	t.Run("errors", func(t *testing.T) {
		first, err := c.Connect.ListPhoneNumbers(t.Context(), &connect.ListPhoneNumbersInput{InstanceId: &c.one, MaxResults: aws.Int32(1)})
		ok(t, err)
		for name, q := range map[string]struct {
			client *connect.Client
			in     connect.ListPhoneNumbersInput
			code   fault.Code
		}{
			"no id":                     {c.Connect, connect.ListPhoneNumbersInput{InstanceId: aws.String("x")}, fault.InvalidParameter},
			"unknown":                   {c.Connect, connect.ListPhoneNumbersInput{InstanceId: aws.String(domain.NewID())}, fault.ResourceNotFound},
			"other region":              {c.from(farRegion), connect.ListPhoneNumbersInput{InstanceId: &c.one}, fault.ResourceNotFound},
			"its region":                {c.from(farRegion), connect.ListPhoneNumbersInput{InstanceId: &c.far}, ""},
			"token of another instance": {c.Connect, connect.ListPhoneNumbersInput{InstanceId: &c.two, NextToken: first.NextToken}, fault.InvalidParameter},
			"unknown type":              {c.Connect, connect.ListPhoneNumbersInput{InstanceId: &c.one, PhoneNumberTypes: []types.PhoneNumberType{"FAX"}}, fault.InvalidParameter},
		} {
			_, err := q.client.ListPhoneNumbers(t.Context(), &q.in)
			if fails(t, err, q.code); t.Failed() {
				t.Fatal(name)
			}
		}
	})
}

func TestListPhoneNumbersV2(t *testing.T) {
	c := boot(t)
	everything := append(pick(ofOne, 0, 1, 2, 3, 4, 5, 6, 7), pick(ofTwo, 0)...)
	near, far := c.Connect, c.from(farRegion)
	arn := instanceARN(c.one)
	type input = connect.ListPhoneNumbersV2Input
	for name, q := range map[string]struct {
		client *connect.Client
		in     input
		want   []string
		code   fault.Code
	}{
		"region":              {near, input{}, everything, ""},
		"region, by two":      {near, input{MaxResults: aws.Int32(2)}, everything, ""},
		"another region":      {far, input{}, pick(ofFar, 0), ""},
		"region without any":  {c.from("ap-south-1"), input{}, []string{}, ""},
		"region, prefix":      {near, input{PhoneNumberPrefix: aws.String("+1202555")}, append(pick(ofOne, 0, 5), pick(ofTwo, 0)...), ""},
		"id":                  {near, input{InstanceId: &c.two}, pick(ofTwo, 0), ""},
		"ARN":                 {near, input{TargetArn: aws.String(instanceARN(c.two))}, pick(ofTwo, 0), ""},
		"both":                {near, input{TargetArn: &arn, InstanceId: &c.one, MaxResults: aws.Int32(5)}, pick(ofOne, 0, 1, 2, 3, 4, 5, 6, 7), ""},
		"prefix":              {near, input{InstanceId: &c.one, PhoneNumberPrefix: aws.String("+1800")}, pick(ofOne, 1, 6), ""},
		"prefix of none":      {near, input{InstanceId: &c.one, PhoneNumberPrefix: aws.String("+33")}, []string{}, ""},
		"country":             {near, input{InstanceId: &c.one, PhoneNumberCountryCodes: []types.PhoneNumberCountryCode{"GB"}, MaxResults: aws.Int32(1)}, pick(ofOne, 2, 4), ""},
		"types":               {near, input{InstanceId: &c.one, PhoneNumberTypes: []types.PhoneNumberType{types.PhoneNumberTypeUifn, types.PhoneNumberTypeDid}}, pick(ofOne, 0, 2, 3), ""},
		"prefix and type":     {near, input{PhoneNumberPrefix: aws.String("+1"), PhoneNumberTypes: []types.PhoneNumberType{types.PhoneNumberTypeShortCode}}, pick(ofOne, 7), ""},
		"prefix without plus": {near, input{PhoneNumberPrefix: aws.String("1800")}, nil, fault.InvalidParameter},
		"no prefix at all":    {near, input{PhoneNumberPrefix: aws.String("+one")}, nil, fault.InvalidParameter},
		"two instances":       {near, input{TargetArn: &arn, InstanceId: &c.two}, nil, fault.InvalidParameter},
		"id for an ARN":       {near, input{TargetArn: &c.one}, nil, fault.InvalidParameter},
		"ARN of a queue":      {near, input{TargetArn: aws.String(arn + "/queue/" + domain.NewID())}, nil, fault.InvalidParameter},
		"unknown instance":    {near, input{TargetArn: aws.String(instanceARN(domain.NewID()))}, nil, fault.ResourceNotFound},
		"ARN from afar":       {far, input{TargetArn: &arn}, nil, fault.ResourceNotFound},
		"id from afar":        {far, input{InstanceId: &c.one}, nil, fault.ResourceNotFound},
		"page too large":      {near, input{MaxResults: aws.Int32(1001)}, nil, fault.InvalidParameter},
		"no token":            {near, input{NextToken: aws.String("x")}, nil, fault.InvalidParameter},
		"no token, by id":     {near, input{NextToken: aws.String("x"), InstanceId: &c.one}, nil, fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			got := []string{}
			for p := connect.NewListPhoneNumbersV2Paginator(q.client, &q.in); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				fails(t, err, q.code)
				if err != nil {
					return
				}
				for _, n := range out.ListPhoneNumbersSummaryList {
					got = append(got, *n.PhoneNumber)
				}
			}
			if q.code == "" {
				same(t, "list", got, q.want)
			}
		})
	}
	t.Run("tokens of other lists", func(t *testing.T) {
		of := func(in input) *string {
			in.MaxResults = aws.Int32(1)
			out, err := near.ListPhoneNumbersV2(t.Context(), &in)
			ok(t, err)
			return out.NextToken
		}
		_, err := near.ListPhoneNumbersV2(t.Context(), &input{InstanceId: &c.one, NextToken: of(input{})})
		fails(t, err, fault.InvalidParameter)
		_, err = near.ListPhoneNumbersV2(t.Context(), &input{InstanceId: &c.two, NextToken: of(input{InstanceId: &c.one})})
		fails(t, err, fault.InvalidParameter)
		_, err = near.ListPhoneNumbersV2(t.Context(), &input{NextToken: of(input{InstanceId: &c.one})})
		fails(t, err, fault.InvalidParameter)
	})
	t.Run("summary", func(t *testing.T) {
		out, err := near.ListPhoneNumbersV2(t.Context(), &input{InstanceId: &c.one})
		ok(t, err)
		for i, n := range ofOne {
			want := types.ListPhoneNumbersSummary{
				InstanceId: &c.one, TargetArn: &arn,
				PhoneNumber: &n.Number, PhoneNumberArn: aws.String(c.arn(n.Number)), PhoneNumberId: aws.String(c.ids[n.Number]),
				PhoneNumberCountryCode: n.CountryCode, PhoneNumberType: n.Type,
			}
			if n.Description != "" {
				want.PhoneNumberDescription = &n.Description
			}
			if n.SourceARN != "" {
				want.SourcePhoneNumberArn = &n.SourceARN
			}
			same(t, n.Number, out.ListPhoneNumbersSummaryList[i], want)
		}
	})
}

func TestDescribePhoneNumber(t *testing.T) {
	c := boot(t)
	for _, i := range []int{0, 5, 7} {
		n := ofOne[i]
		want := types.ClaimedPhoneNumberSummary{
			InstanceId: &c.one, TargetArn: aws.String(instanceARN(c.one)),
			PhoneNumber: &n.Number, PhoneNumberArn: aws.String(c.arn(n.Number)), PhoneNumberId: aws.String(c.ids[n.Number]),
			PhoneNumberCountryCode: n.CountryCode, PhoneNumberType: n.Type, Tags: map[string]string{},
			PhoneNumberStatus: &types.PhoneNumberStatus{Status: types.PhoneNumberWorkflowStatusClaimed},
		}
		if n.Description != "" {
			want.PhoneNumberDescription = &n.Description
		}
		if n.SourceARN != "" {
			want.SourcePhoneNumberArn = &n.SourceARN
		}
		for _, give := range []string{c.ids[n.Number], c.arn(n.Number)} {
			out, err := c.Connect.DescribePhoneNumber(t.Context(), &connect.DescribePhoneNumberInput{PhoneNumberId: &give})
			ok(t, err)
			same(t, give, out.ClaimedPhoneNumberSummary, want)
		}
	}
	id, arn := c.ids[ofOne[0].Number], c.arn(ofOne[0].Number)
	for name, q := range map[string]struct {
		client *connect.Client
		give   string
		code   fault.Code
	}{
		"unknown":           {c.Connect, domain.NewID(), fault.ResourceNotFound},
		"older ARN":         {c.Connect, instanceARN(c.one) + "/phone-number/" + id, fault.ResourceNotFound},
		"instance":          {c.Connect, c.one, fault.ResourceNotFound},
		"malformed ARN":     {c.Connect, "arn:aws:connect:x", fault.InvalidParameter},
		"from afar":         {c.from(farRegion), id, fault.ResourceNotFound},
		"ARN from afar":     {c.from(farRegion), arn, fault.ResourceNotFound},
		"ARN of far away":   {c.from(farRegion), strings.Replace(arn, servertest.Region, farRegion, 1), fault.ResourceNotFound},
		"far one, from far": {c.from(farRegion), c.ids[ofFar[0].Number], ""},
	} {
		_, err := q.client.DescribePhoneNumber(t.Context(), &connect.DescribePhoneNumberInput{PhoneNumberId: &q.give})
		if fails(t, err, q.code); t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestTagsOfPhoneNumber(t *testing.T) {
	c := boot(t)
	arn := c.arn(ofOne[0].Number)
	_, err := c.Connect.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"a": "1"}})
	ok(t, err)
	out, err := c.Connect.DescribePhoneNumber(t.Context(), &connect.DescribePhoneNumberInput{PhoneNumberId: &arn})
	ok(t, err)
	same(t, "tags", out.ClaimedPhoneNumberSummary.Tags, map[string]string{"a": "1"})
	lie := strings.Replace(arn, servertest.Region, farRegion, 1)
	_, err = c.from(farRegion).TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &lie, Tags: map[string]string{"a": "2"}})
	fails(t, err, fault.ResourceNotFound)
}

func TestInstanceWithNumbers(t *testing.T) {
	c := boot(t)
	_, err := c.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &c.one})
	ok(t, err)
	out, err := c.Connect.ListPhoneNumbersV2(t.Context(), &connect.ListPhoneNumbersV2Input{})
	ok(t, err)
	if len(out.ListPhoneNumbersSummaryList) != 1 || *out.ListPhoneNumbersSummaryList[0].InstanceId != c.two {
		t.Errorf("numbers outlived their instance: %d", len(out.ListPhoneNumbersSummaryList))
	}
	_, err = c.Connect.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{InstanceId: &c.two, PhoneNumber: &ofOne[0].Number})
	ok(t, err)
}
