// Command ringdown is a contact-centre server that speaks the Amazon Connect
// API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // hours of operation need time zones wherever the binary runs
)

// command is a subcommand.
type command struct {
	name, args, help string
	run              func(ctx context.Context, p *program, args []string) error
}

// program is what commands share.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

func commands() []command {
	return []command{
		{"serve", "[flags]", "Run the server.", serve},
		{"demo", "[--data FOLDER]", "Show the main job from end to end, with no other software.", demo},
		{"env", "[flags]", "Print the export lines that point the AWS CLI and SDKs at this server.", env},
		{"keys", "create|list|delete", "Manage access keys for principals other than root.", keys},
		{"idp", "add|list|delete", "Manage the SAML identity providers whose users are let in.", idp},
		{"contact", "trace|list", "Show what has become of contacts, step by step.", contacts},
		{"phone", "dial|wait", "Call a number of the server, or wait to be called: a telephone.", phones},
		{"flow", "check|test FILE...", "Check documents of the flow language, or run tests of flows, without a server.", flows},
		{"version", "", "Print the version.", version},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{os.Stdin, os.Stdout, os.Stderr, os.Getenv}
	code := p.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// main runs a subcommand and returns the exit code: 2 for a command line that
// makes no sense, 1 for a failure.
func (p *program) main(ctx context.Context, args []string) int {
	if len(args) == 0 {
		p.usage(p.stderr)
		return 2
	}
	switch args[0] {
	case "help", "-h", "--help", "-help":
		p.usage(p.stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, p, args[1:])
		var usage *usageError
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.As(err, &usage):
			fmt.Fprintf(p.stderr, "ringdown %s: %v\nRun \"ringdown %s --help\" for its flags.\n", c.name, err, c.name)
			return 2
		default:
			fmt.Fprintf(p.stderr, "ringdown %s: %v\n", c.name, err)
			return 1
		}
	}
	fmt.Fprintf(p.stderr, "ringdown: there is no command %q.\nRun \"ringdown --help\" for the list of commands.\n", args[0])
	return 2
}

// usageError is a mistake on the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (p *program) usage(w io.Writer) {
	fmt.Fprint(w, "ringdown is a contact-centre server that speaks the Amazon Connect API.\n\nUsage:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  ringdown %-30s %s\n", c.name+" "+c.args, c.help)
	}
	fmt.Fprint(w, "\n\"ringdown COMMAND --help\" lists the flags of a command.\n")
}

func version(_ context.Context, p *program, args []string) error {
	if len(args) > 0 {
		return &usageError{errors.New("it takes no arguments")}
	}
	_, err := fmt.Fprintln(p.stdout, "ringdown", versionString())
	return err
}

// release is set by the linker: -X main.release=1.2.3.
var release = ""

func versionString() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "development " + s.Value[:12]
			}
		}
	}
	return "development"
}
