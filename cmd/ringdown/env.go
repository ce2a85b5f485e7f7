package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ringdown/internal/server"
)

// env prints the lines that point AWS's clients at a server. It only reads: it
// neither starts a server nor makes a data folder.
func env(_ context.Context, p *program, args []string) error {
	var s settings
	f := s.flags("env")
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return &usageError{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	}
	root, err := server.FindRoot(&s.Config)
	if errors.Is(err, server.ErrNoRoot) {
		return fmt.Errorf("%w in %s: start \"ringdown serve\" first, or name its data folder with --data", err, s.Data)
	}
	if err != nil {
		return err
	}
	url := server.Endpoint(&s.Config)
	var b strings.Builder
	for _, v := range [][2]string{
		{"AWS_ENDPOINT_URL_CONNECT", url},
		{"AWS_ENDPOINT_URL_CONNECTPARTICIPANT", url},
		{"AWS_ENDPOINT_URL_STS", url},
		{"AWS_ACCESS_KEY_ID", root.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", root.SecretAccessKey},
		{"AWS_REGION", s.Region},
		{"AWS_DEFAULT_REGION", s.Region},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], shellQuote(v[1]))
	}
	// What is left over from another account would get in the way.
	b.WriteString("unset AWS_SESSION_TOKEN AWS_PROFILE\n")
	if strings.HasPrefix(url, "https://") && s.TLSCert != "" {
		fmt.Fprintf(&b, "export AWS_CA_BUNDLE=%s\n", shellQuote(s.TLSCert))
	}
	_, err = fmt.Fprint(p.stdout, b.String())
	return err
}

// shellQuote quotes a word for a POSIX shell when it needs it.
func shellQuote(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+=@%,", r)
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
