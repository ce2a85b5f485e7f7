package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"ringdown/internal/server"
)

const keysHelp = `Usage:
  ringdown keys create --user NAME --policy FILE [flags]   make a key; FILE holds an IAM policy document, - is standard input
  ringdown keys create --scim INSTANCE --routing-profile PROFILE --security-profile PROFILE[,PROFILE…] [flags]
                                                           make a token by which an identity provider manages the users of an
                                                           instance (an id or alias, of whatever region) by SCIM; new users
                                                           get the profiles (names or ids)
  ringdown keys list [flags]                               list the keys and tokens
  ringdown keys delete KEY-ID [flags]                      delete a key or token
A running server is asked to do it; otherwise the data folder is opened directly.
`

// keys manages the access keys of principals other than root.
func keys(ctx context.Context, p *program, args []string) error {
	return words(ctx, p, args, text(keysHelp), word{"create", keysCreate}, word{"list", keysList}, word{"delete", keysDelete})
}

func keysCreate(ctx context.Context, p *program, args []string) (err error) {
	var s settings
	f := s.managing("keys create")
	user := f.String("user", "", "`name` of the IAM user that the key stands for")
	file := f.String("policy", "", "`file` with its IAM policy document, - for standard input")
	var token server.NewSCIMToken
	f.StringVar(&token.Instance, "scim", "", "id or alias of the `instance` whose users a token for SCIM manages, instead of a key")
	f.StringVar(&token.RoutingProfile, "routing-profile", "", "name or id of the routing `profile` that its new users get")
	security := f.String("security-profile", "", "names or ids of the security `profiles` that its new users get, separated by commas")
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if token.Instance != "" {
		if token.RoutingProfile == "" || *security == "" || *user != "" || *file != "" || f.NArg() > 0 {
			return &usageError{errors.New("give --scim INSTANCE, --routing-profile PROFILE and --security-profile PROFILE, and no --user or --policy")}
		}
		for name := range strings.SplitSeq(*security, ",") {
			token.SecurityProfiles = append(token.SecurityProfiles, strings.TrimSpace(name))
		}
		return tokenCreate(ctx, p, &s, token)
	}
	if token.RoutingProfile != "" || *security != "" {
		return &usageError{errors.New("--routing-profile and --security-profile belong to a token: give --scim INSTANCE as well")}
	}
	if *user == "" || *file == "" || f.NArg() > 0 {
		return &usageError{errors.New("give --user NAME and --policy FILE")}
	}
	var policy []byte
	if *file == "-" {
		policy, err = io.ReadAll(io.LimitReader(p.stdin, 1<<20))
	} else {
		policy, err = os.ReadFile(*file)
	}
	if err != nil {
		return fmt.Errorf("--policy: %w", err)
	}
	m, err := server.OpenKeys(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	made, err := m.Create(ctx, server.NewKey{UserName: *user, Policy: policy})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "export AWS_ACCESS_KEY_ID=%s\nexport AWS_SECRET_ACCESS_KEY=%s\n", made.AccessKeyID, shellQuote(made.SecretAccessKey))
	fmt.Fprintf(p.stderr, "The key acts as IAM user %s. Its secret is shown this once.\n", made.UserName)
	return err
}

// tokenCreate makes a token for SCIM.
func tokenCreate(ctx context.Context, p *program, s *settings, token server.NewSCIMToken) (err error) {
	m, err := server.OpenKeys(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	made, err := m.CreateToken(ctx, token)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "Base URL: %s\nToken: %s\n", made.BaseURL, made.Token)
	fmt.Fprintf(p.stderr, "The token %s manages the users of instance %s. It is shown this once.\n", made.ID, made.InstanceID)
	return err
}

func keysList(ctx context.Context, p *program, args []string) (err error) {
	var s settings
	f := s.managing("keys list")
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return &usageError{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	}
	m, err := server.OpenKeys(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	list, err := m.List(ctx)
	if err != nil {
		return err
	}
	tokens, err := m.Tokens(ctx)
	if err != nil {
		return err
	}
	if len(list)+len(tokens) == 0 {
		fmt.Fprintln(p.stderr, "There are no keys but the root's.")
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY ID\tUSER\tMADE")
	for _, k := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.AccessKeyID, k.UserName, k.Created.Format("2006-01-02 15:04:05Z"))
	}
	for _, t := range tokens {
		fmt.Fprintf(w, "%s\tSCIM for %s\t%s\n", t.ID, t.Instance, t.Created.Format("2006-01-02 15:04:05Z"))
	}
	return w.Flush()
}

func keysDelete(ctx context.Context, p *program, args []string) (err error) {
	var s settings
	f := s.managing("keys delete")
	given, args := leading(args)
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if given = append(given, f.Args()...); len(given) != 1 {
		return &usageError{errors.New("give the id of the key")}
	}
	m, err := server.OpenKeys(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return m.Delete(ctx, given[0])
}
