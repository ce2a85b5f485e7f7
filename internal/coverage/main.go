// Command coverage writes docs/coverage.md: which operations of the API this
// release serves. It asks the binding itself, so the page cannot claim what the
// server does not do.
//
// The tests of this package hold the other pages to the code in the same way:
// links lead somewhere, the README's commands, flags and metrics exist.
package main

import (
	"flag"
	"io"
	"log"
	"os"
)

//go:generate go run . -o ../../docs/coverage.md

func main() {
	log.SetFlags(0)
	log.SetPrefix("coverage: ")
	file := flag.String("o", "", "`file` to write; standard output when empty")
	flag.Parse()
	page, err := page()
	if err != nil {
		log.Fatal(err)
	}
	if *file == "" {
		_, err = io.WriteString(os.Stdout, page)
	} else {
		err = os.WriteFile(*file, []byte(page), 0o644) //nolint:gosec // a page that everybody may read
	}
	if err != nil {
		log.Fatal(err)
	}
}
