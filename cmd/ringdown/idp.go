package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"ringdown/internal/server"
)

const idpHelp = `Usage:
  ringdown idp add --metadata FILE [flags]   let the users of a SAML identity provider in; FILE holds its metadata, - is standard input
      --name NAME            its name; by default the host of its entity id
      --role NAME            the role that its users assume, made when it is new; by default named as the provider
      --policy FILE          the role's IAM policy document; by default it allows to get the federation token of one's own user
      --max-session 12h      the longest session of the role, 1 to 12 hours; by default 1h
      --instance ID          an instance, by id or alias, whose sign-in page offers the provider; may be repeated; by default all of type SAML
      --label TEXT           what the sign-in page calls it; by default its name
  ringdown idp list [flags]                  list the identity providers
  ringdown idp delete NAME [flags]           delete one, and the roles that nobody else can assume
A running server is asked to do it; otherwise the data folder is opened directly.
`

// idp manages the SAML identity providers whose users are let in.
func idp(ctx context.Context, p *program, args []string) error {
	return words(ctx, p, args, text(idpHelp), word{"add", idpAdd}, word{"list", idpList}, word{"delete", idpDelete})
}

func idpAdd(ctx context.Context, p *program, args []string) (err error) {
	var s settings
	var in server.NewProvider
	f := s.managing("idp add")
	metadata := f.String("metadata", "", "`file` with the provider's metadata, - for standard input")
	f.StringVar(&in.Name, "name", "", "`name` of the provider; empty: the host of its entity id")
	f.StringVar(&in.Label, "label", "", "`text` of its button on sign-in pages; empty: its name")
	f.StringVar(&in.Role, "role", "", "`name` of the role that its users assume; empty: that of the provider")
	policy := f.String("policy", "", "`file` with the role's IAM policy document; empty: the federation token of one's own user")
	longest := f.String("max-session", "", "longest session of the role, a `duration` of 1h to 12h")
	f.Func("instance", "`id` or alias of an instance whose sign-in page offers the provider; may be repeated", func(id string) error {
		in.Instances = append(in.Instances, id)
		return nil
	})
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if *metadata == "" || f.NArg() > 0 {
		return &usageError{errors.New("give --metadata FILE")}
	}
	if *metadata == "-" && *policy == "-" {
		return &usageError{errors.New("only one of --metadata and --policy can be standard input")}
	}
	if *longest != "" {
		d, err := time.ParseDuration(*longest)
		if err != nil || d < time.Second {
			return &usageError{fmt.Errorf("--max-session: %q must be a duration such as 12h", *longest)}
		}
		in.MaxSession = int64(d / time.Second)
	}
	if in.Metadata, err = readInput(p, *metadata, server.MaxMetadata); err != nil {
		return fmt.Errorf("--metadata: %w", err)
	}
	if *policy != "" {
		raw, err := readInput(p, *policy, server.MaxMetadata)
		if err != nil {
			return fmt.Errorf("--policy: %w", err)
		}
		if !json.Valid(raw) { // it could not even be sent
			return fmt.Errorf("--policy: %s holds no JSON", *policy)
		}
		in.Policy = raw
	}
	m, err := server.OpenProviders(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	added, err := m.Add(ctx, in)
	if err != nil {
		return err
	}
	_, err = io.WriteString(p.stdout, toEnter(added))
	return err
}

// readInput reads a file of at most some bytes, or standard input.
func readInput(p *program, name string, most int64) ([]byte, error) {
	in := p.stdin
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	raw, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(raw)) > most {
		return nil, fmt.Errorf("it has more than %d bytes", most)
	}
	return raw, err
}

var instanceID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// attributes begins the names of Amazon's attributes in assertions.
const attributes = "https://aws.amazon.com/SAML/Attributes/"

// toEnter tells the operator what the identity provider has to know.
func toEnter(a server.AddedProvider) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The SAML provider %s is known now. Its users assume the role %s.\n\nEnter at the identity provider:\n", a.Name, a.Role)
	// An assertion names the address with the id, by whichever name the page was
	// opened.
	var ids []string
	for _, instance := range a.Instances {
		if instanceID.MatchString(instance) {
			ids = append(ids, instance)
		}
	}
	if len(ids) < len(a.Instances) || len(ids) == 0 {
		ids = append(ids, "INSTANCE")
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	what := "Sign-in URL (ACS, reply URL)"
	for _, instance := range ids {
		fmt.Fprintf(w, "  %s\t%s%s/saml\n", what, a.SignIn, instance)
		what = ""
	}
	fmt.Fprintf(w, "  Audience (entity id)\t%s\n", a.Audience)
	fmt.Fprintf(w, "  or all that from our metadata\t%s?instance=%s\n", a.Audience, strings.Join(ids, "&instance="))
	fmt.Fprintf(w, "  Attribute\t%sRole\n", attributes)
	fmt.Fprintf(w, "    with the value\t%s,%s\n", a.RoleARN, a.ARN)
	fmt.Fprintf(w, "  Attribute\t%sRoleSessionName\n", attributes)
	fmt.Fprint(w, "    with the value\tthe Username that the user has in Amazon Connect, letter for letter\n")
	_ = w.Flush() // a strings.Builder does not fail
	if ids[len(ids)-1] == "INSTANCE" {
		b.WriteString("\nINSTANCE is the id, not the alias, of an instance of type SAML: aws connect list-instances\n")
	}
	fmt.Fprintf(&b, "\nNext: create the users in the instance, and open %s%s in a browser.\n", a.SignIn, ids[0])
	return b.String()
}

func idpList(ctx context.Context, p *program, args []string) (err error) {
	var s settings
	f := s.managing("idp list")
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return &usageError{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	}
	m, err := server.OpenProviders(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	list, err := m.List(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(p.stderr, "There are no identity providers.")
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tENTITY ID\tROLES\tINSTANCES\tADDED")
	for _, i := range list {
		added := i.Created.Format("2006-01-02 15:04:05Z")
		if i.Configured {
			added = "configuration file"
		}
		instances := "all"
		if len(i.Instances) > 0 {
			instances = strings.Join(i.Instances, ",")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.Name, i.EntityID, strings.Join(i.Roles, ","), instances, added)
	}
	return w.Flush()
}

func idpDelete(ctx context.Context, p *program, args []string) (err error) {
	var s settings
	f := s.managing("idp delete")
	given, args := leading(args)
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if given = append(given, f.Args()...); len(given) != 1 {
		return &usageError{errors.New("give the name of one provider")}
	}
	m, err := server.OpenProviders(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return m.Delete(ctx, given[0])
}
