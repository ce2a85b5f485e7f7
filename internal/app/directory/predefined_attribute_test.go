package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/starter"
)

func stringList(values ...string) types.PredefinedAttributeValues {
	return &types.PredefinedAttributeValuesMemberStringList{Value: values}
}

func (c *centre) described(t *testing.T, name string) *types.PredefinedAttribute {
	t.Helper()
	out, err := c.DescribePredefinedAttribute(t.Context(), &connect.DescribePredefinedAttributeInput{InstanceId: &c.id, Name: &name})
	ok(t, err)
	return out.PredefinedAttribute
}

func valuesOf(t *testing.T, a *types.PredefinedAttribute) []string {
	t.Helper()
	list, is := a.Values.(*types.PredefinedAttributeValuesMemberStringList)
	if !is {
		t.Fatalf("the values of %s are %T", *a.Name, a.Values)
	}
	return list.Value
}

func (c *centre) updateAttribute(t *testing.T, name string, change func(*connect.UpdatePredefinedAttributeInput)) error {
	t.Helper()
	in := &connect.UpdatePredefinedAttributeInput{InstanceId: &c.id, Name: &name}
	change(in)
	_, err := c.UpdatePredefinedAttribute(t.Context(), in)
	return err
}

func (c *centre) deleteAttribute(t *testing.T, name string) error {
	t.Helper()
	_, err := c.DeletePredefinedAttribute(t.Context(), &connect.DeletePredefinedAttributeInput{InstanceId: &c.id, Name: &name})
	return err
}

func TestSystemAttributes(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	for _, want := range starter.PredefinedAttributes() {
		a := c.described(t, want.Name)
		same(t, want.Name, valuesOf(t, a), want.Values)
		same(t, want.Name, a.AttributeConfiguration.IsReadOnly, want.IsReadOnly)
		same(t, want.Name, a.AttributeConfiguration.EnableValueValidationOnAssociation, want.EnableValueValidationOnAssociation)
		fails(t, c.deleteAttribute(t, want.Name), fault.InvalidRequest, want.Name)
	}
	language := valuesOf(t, c.described(t, "connect:Language"))
	set := func(values ...string) error {
		return c.updateAttribute(t, "connect:Language", func(in *connect.UpdatePredefinedAttributeInput) { in.Values = stringList(values...) })
	}
	ok(t, set(append(slices.Clone(language), "Klingon")...))
	same(t, "languages", len(valuesOf(t, c.described(t, "connect:Language"))), len(language)+1)
	fails(t, set(language[1:]...), fault.InvalidRequest, language[0])
	fails(t, set(append(slices.Clone(language), "connect:Klingon")...), fault.InvalidParameter, "reserved")
	ok(t, set(language...))
	fails(t, c.updateAttribute(t, "connect:Subtype", func(in *connect.UpdatePredefinedAttributeInput) { in.Purposes = []string{"x"} }), fault.InvalidRequest, "read-only")
}

func TestPredefinedAttributes(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	create := func(name string, values ...string) error {
		_, err := c.CreatePredefinedAttribute(t.Context(), &connect.CreatePredefinedAttributeInput{InstanceId: &c.id, Name: &name, Values: stringList(values...)})
		return err
	}
	for name, give := range map[string]struct {
		name   string
		values []string
		code   fault.Code
	}{
		"letters of the world":  {"Język/言語 (é)", nil, fault.InvalidParameter}, // parentheses are not among them
		"all that is allowed":   {"Ję言 1_.:/=+-@'", []string{"'@-+=/:._1 言ę"}, ""},
		"the range from + to @": {"a,b;c<d>e?f", nil, ""},
		"no values":             {"Empty", []string{}, ""},
		"values of one letter":  {"Case", []string{"yes", "Yes"}, ""},
		"a value twice":         {"Twice", []string{"yes", "no", "yes"}, fault.InvalidParameter},
		"bad value":             {"Bad", []string{"50%"}, fault.InvalidParameter},
		"reserved value":        {"Reserved", []string{"connect:x"}, fault.InvalidParameter},
		"connect:":              {"connect:Mine", nil, fault.InvalidParameter},
		"aws:":                  {"aws:Mine", nil, fault.InvalidParameter},
		"Connect:":              {"Connect:Mine", nil, ""},
		"100 characters":        {strings.Repeat("é", 100), nil, ""},
		"101 characters":        {strings.Repeat("é", 101), nil, fault.InvalidParameter},
		"501 values":            {"Many", make([]string, 501), fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) { fails(t, create(give.name, give.values...), give.code) })
	}

	t.Run("life", func(t *testing.T) {
		_, err := c.CreatePredefinedAttribute(t.Context(), &connect.CreatePredefinedAttributeInput{
			InstanceId: &c.id, Name: aws.String("Product/Line: 1"), Values: stringList("Phones", "Tablets"), Purposes: []string{"routing"},
			AttributeConfiguration: &types.InputPredefinedAttributeConfiguration{EnableValueValidationOnAssociation: true},
		})
		ok(t, err)
		fails(t, create("product/line: 1"), fault.DuplicateResource)
		_, err = c.DescribePredefinedAttribute(t.Context(), &connect.DescribePredefinedAttributeInput{InstanceId: &c.id, Name: aws.String("product/line: 1")})
		fails(t, err, fault.ResourceNotFound, "product/line: 1")
		a := c.described(t, "Product/Line: 1")
		same(t, "values", valuesOf(t, a), []string{"Phones", "Tablets"})
		same(t, "purposes", a.Purposes, []string{"routing"})
		if !a.AttributeConfiguration.EnableValueValidationOnAssociation || a.AttributeConfiguration.IsReadOnly || a.LastModifiedTime == nil || *a.LastModifiedRegion != servertest.Region {
			t.Errorf("attribute is %+v", a)
		}
		ok(t, c.updateAttribute(t, *a.Name, func(in *connect.UpdatePredefinedAttributeInput) { in.Values = stringList("Laptops") }))
		a = c.described(t, *a.Name)
		same(t, "values", valuesOf(t, a), []string{"Laptops"})
		same(t, "purposes", a.Purposes, []string{"routing"})
		same(t, "validation", a.AttributeConfiguration.EnableValueValidationOnAssociation, true)
		ok(t, c.updateAttribute(t, *a.Name, func(in *connect.UpdatePredefinedAttributeInput) {
			in.Values, in.Purposes, in.AttributeConfiguration = stringList([]string{}...), []string{}, &types.InputPredefinedAttributeConfiguration{}
		}))
		a = c.described(t, *a.Name)
		if valuesOf(t, a) == nil || len(valuesOf(t, a)) != 0 || len(a.Purposes) != 0 || a.AttributeConfiguration.EnableValueValidationOnAssociation {
			t.Errorf("attribute is %+v", a)
		}
		ok(t, c.deleteAttribute(t, *a.Name))
		fails(t, c.deleteAttribute(t, *a.Name), fault.ResourceNotFound)
	})

	t.Run("members that are absent stay", func(t *testing.T) {
		_, err := c.CreatePredefinedAttribute(t.Context(), &connect.CreatePredefinedAttributeInput{InstanceId: &c.id, Name: aws.String("Later")})
		ok(t, err)
		if a := c.described(t, "Later"); valuesOf(t, a) == nil || len(valuesOf(t, a)) != 0 {
			t.Errorf("attribute is %+v", a)
		}
		ok(t, c.updateAttribute(t, "Later", func(in *connect.UpdatePredefinedAttributeInput) { in.Values = stringList("x") }))
		ok(t, c.updateAttribute(t, "Later", func(in *connect.UpdatePredefinedAttributeInput) { in.Purposes = []string{"routing"} }))
		a := c.described(t, "Later")
		same(t, "values", valuesOf(t, a), []string{"x"})
		same(t, "purposes", a.Purposes, []string{"routing"})
	})

	t.Run("in use", func(t *testing.T) {
		c.attribute(t, "Skill", "Red", "Blue")
		user := c.user(t, "jane")
		_, err := c.AssociateUserProficiencies(t.Context(), &connect.AssociateUserProficienciesInput{
			InstanceId: &c.id, UserId: &user, UserProficiencies: []types.UserProficiency{proficiency("Skill", "Red", 1)},
		})
		ok(t, err)
		values := func(values ...string) error {
			return c.updateAttribute(t, "Skill", func(in *connect.UpdatePredefinedAttributeInput) { in.Values = stringList(values...) })
		}
		fails(t, c.deleteAttribute(t, "Skill"), fault.ResourceInUse, "Skill")
		fails(t, values("Blue", "Green"), fault.InvalidRequest, "Red") // ResourceInUse is not declared here
		ok(t, values("Green", "Red"))
		_, err = c.DisassociateUserProficiencies(t.Context(), &connect.DisassociateUserProficienciesInput{
			InstanceId: &c.id, UserId: &user,
			UserProficiencies: []types.UserProficiencyDisassociate{{AttributeName: aws.String("Skill"), AttributeValue: aws.String("Red")}},
		})
		ok(t, err)
		ok(t, values("Green"))
		ok(t, c.deleteAttribute(t, "Skill"))
	})
}

func TestListAndSearchPredefinedAttributes(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	for _, name := range []string{"Product", "Production", "Skill"} {
		c.attribute(t, name)
	}
	var names []string
	pages := connect.NewListPredefinedAttributesPaginator(c, &connect.ListPredefinedAttributesInput{InstanceId: &c.id, MaxResults: aws.Int32(4)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		ok(t, err)
		for _, a := range page.PredefinedAttributeSummaryList {
			names = append(names, *a.Name)
		}
	}
	same(t, "list", strings.Join(names, ","), "connect:Language,connect:Subtype,connect:WorkloadType,Product,Production,Skill")

	field := func(name, value, op string) *types.PredefinedAttributeSearchCriteria {
		return &types.PredefinedAttributeSearchCriteria{StringCondition: stringCondition(name, value, op)}
	}
	for name, q := range map[string]struct {
		criteria *types.PredefinedAttributeSearchCriteria
		want     string
		code     fault.Code
	}{
		"all":    {nil, strings.Join(names, ","), ""},
		"exact":  {field("name", "product", "EXACT"), "Product", ""},
		"prefix": {field("name", "CONNECT:", "STARTS_WITH"), "connect:Language,connect:Subtype,connect:WorkloadType", ""},
		"part":   {field("name", "duct", "CONTAINS"), "Product,Production", ""},
		"or":     {&types.PredefinedAttributeSearchCriteria{OrConditions: []types.PredefinedAttributeSearchCriteria{*field("name", "skill", "EXACT"), *field("name", "ion", "CONTAINS")}}, "Production,Skill", ""},
		"field":  {field("value", "x", "EXACT"), "", fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			var found []string
			pages := connect.NewSearchPredefinedAttributesPaginator(c, &connect.SearchPredefinedAttributesInput{InstanceId: &c.id, MaxResults: aws.Int32(2), SearchCriteria: q.criteria})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if fails(t, err, q.code); err != nil {
					return
				}
				for _, a := range page.PredefinedAttributes {
					found = append(found, *a.Name)
					_ = valuesOf(t, &a)
				}
			}
			same(t, "found", strings.Join(found, ","), q.want)
		})
	}
}

func proficiency(name, value string, level float32) types.UserProficiency {
	return types.UserProficiency{AttributeName: &name, AttributeValue: &value, Level: &level}
}

func TestProficiencies(t *testing.T) {
	s := servertest.Boot(t, func(c *server.Config) { c.Quotas = true })
	c := newCentre(t, s, types.DirectoryTypeSaml)
	values := make([]string, 12)
	for i := range values {
		values[i] = fmt.Sprint("v", i)
	}
	c.attribute(t, "Skill", values...)
	user := c.user(t, "jane")
	associate := func(list ...types.UserProficiency) error {
		_, err := c.AssociateUserProficiencies(t.Context(), &connect.AssociateUserProficienciesInput{InstanceId: &c.id, UserId: &user, UserProficiencies: list})
		return err
	}
	update := func(list ...types.UserProficiency) error {
		_, err := c.UpdateUserProficiencies(t.Context(), &connect.UpdateUserProficienciesInput{InstanceId: &c.id, UserId: &user, UserProficiencies: list})
		return err
	}
	disassociate := func(name, value string) error {
		_, err := c.DisassociateUserProficiencies(t.Context(), &connect.DisassociateUserProficienciesInput{
			InstanceId: &c.id, UserId: &user, UserProficiencies: []types.UserProficiencyDisassociate{{AttributeName: &name, AttributeValue: &value}},
		})
		return err
	}
	list := func() string {
		var all []string
		pages := connect.NewListUserProficienciesPaginator(c, &connect.ListUserProficienciesInput{InstanceId: &c.id, UserId: &user, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			ok(t, err)
			if page.UserProficiencyList == nil || page.LastModifiedTime == nil || *page.LastModifiedRegion != servertest.Region {
				t.Errorf("page is %+v", page)
			}
			for _, p := range page.UserProficiencyList {
				all = append(all, fmt.Sprint(*p.AttributeName, "=", *p.AttributeValue, "@", *p.Level))
			}
		}
		return strings.Join(all, " ")
	}

	same(t, "proficiencies", list(), "")
	ok(t, associate(proficiency("Skill", "v0", 1), proficiency("Skill", "v1", 5), proficiency("connect:Language", "connect:French", 3)))
	const three = "Skill=v0@1 Skill=v1@5 connect:Language=connect:French@3"
	same(t, "proficiencies", list(), three)
	for name, bad := range map[string]struct {
		err   error
		code  fault.Code
		words string
	}{
		"there already":         {associate(proficiency("Skill", "v2", 1), proficiency("Skill", "v0", 2)), fault.InvalidRequest, "v0"},
		"twice":                 {associate(proficiency("Skill", "v2", 1), proficiency("Skill", "v2", 2)), fault.InvalidRequest, "v2"},
		"half a level":          {associate(proficiency("Skill", "v2", 2.5)), fault.InvalidParameter, "1, 2, 3, 4 or 5"},
		"level 0":               {associate(proficiency("Skill", "v2", 0)), fault.InvalidParameter, ""},
		"level 6":               {associate(proficiency("Skill", "v2", 6)), fault.InvalidParameter, ""},
		"unknown attribute":     {associate(proficiency("Craft", "v2", 1)), fault.ResourceNotFound, "Craft"},
		"other case":            {associate(proficiency("skill", "v2", 1)), fault.ResourceNotFound, "skill"},
		"unknown value":         {associate(proficiency("Skill", "v99", 1)), fault.InvalidParameter, "v99"},
		"update what is not":    {update(proficiency("Skill", "v0", 2), proficiency("Skill", "v2", 1)), fault.ResourceNotFound, "v2"},
		"update to half":        {update(proficiency("Skill", "v0", 1.5)), fault.InvalidParameter, ""},
		"disassociate what not": {disassociate("Skill", "v2"), fault.ResourceNotFound, "v2"},
	} {
		if fails(t, bad.err, bad.code, bad.words); t.Failed() {
			t.Fatal(name)
		}
	}
	same(t, "proficiencies after refusals", list(), three)

	ok(t, update(proficiency("Skill", "v1", 2)))
	ok(t, disassociate("Skill", "v0"))
	same(t, "proficiencies", list(), "Skill=v1@2 connect:Language=connect:French@3")
	for _, v := range values[2:10] {
		ok(t, associate(proficiency("Skill", v, 1)))
	}
	fails(t, associate(proficiency("Skill", "v10", 1)), fault.InvalidRequest, "10") // LimitExceeded is not declared here
}
