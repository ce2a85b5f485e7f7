package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// word is what says, after the name of a command, which part of it is meant:
// create in "ringdown keys create".
type word struct {
	name string
	run  func(ctx context.Context, p *program, args []string) error
}

// words runs the part of a command that args begin with, or prints the help.
func words(ctx context.Context, p *program, args []string, help func(io.Writer) error, list ...word) error {
	if len(args) == 0 {
		return &usageError{errors.New("say " + either(list))}
	}
	for _, w := range list {
		if args[0] == w.name {
			return w.run(ctx, p, args[1:])
		}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return help(p.stdout)
	default:
		return &usageError{fmt.Errorf("there is no %q: say %s", args[0], either(list))}
	}
}

// either lists words as "add, list or delete".
func either(list []word) string {
	var b strings.Builder
	for i, w := range list {
		switch {
		case i > 0 && i == len(list)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(w.name)
	}
	return b.String()
}

// leading takes from a command line what stands before its flags: a name that may
// as well stand after them.
func leading(args []string) (given, rest []string) {
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		return args[:1:1], args[1:]
	}
	return nil, args
}

// text is a help that is always the same.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}
