// Command saml is a SAML identity provider for scripts: it writes metadata, and
// responses about whomever it is told of. Its key is made when it is first needed
// and kept in a file.
//
//	saml metadata --key FILE                 prints metadata
//	saml response --key FILE --user NAME …   prints a response, base64
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "saml:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("say metadata or response")
	}
	f := flag.NewFlagSet("saml "+args[0], flag.ContinueOnError)
	key := f.String("key", "", "`file` of the provider's key, made when it does not exist")
	entityID := f.String("entity-id", "https://idp.example.org/saml", "`name` of the provider")
	var c claim
	f.StringVar(&c.user, "user", "", "`name` of the user: the RoleSessionName")
	f.StringVar(&c.audience, "audience", "urn:amazon:webservices", "`name` of who the response is for")
	f.StringVar(&c.recipient, "recipient", "https://signin.aws.amazon.com/saml", "`URL` that it is posted to")
	f.StringVar(&c.role, "role", "", "`ARN` of the role")
	f.StringVar(&c.provider, "provider", "", "`ARN` of the provider")
	age := f.Duration("age", 0, "how long ago the response was made")
	tampered := f.String("tampered", "", "`name` that takes the user's place after the signature")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if *key == "" || f.NArg() > 0 {
		return fmt.Errorf("give --key FILE, and flags only")
	}
	p, err := openProvider(*key, *entityID)
	if err != nil {
		return err
	}
	switch args[0] {
	case "metadata":
		_, err = io.WriteString(out, p.metadata())
	case "response":
		c.made = time.Now().Add(-*age)
		var response string
		if response, err = p.response(c, *tampered); err == nil {
			_, err = fmt.Fprintln(out, response)
		}
	default:
		err = fmt.Errorf("there is no %q: say metadata or response", args[0])
	}
	return err
}
