package servertest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"ringdown/internal/fault"
)

// OK ends the test when there is an error.
func OK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Fails checks the exception of an answer, "" for none, and that its message
// holds each of the words.
func Fails(t testing.TB, err error, code fault.Code, words ...string) {
	t.Helper()
	var e interface {
		ErrorCode() string
		ErrorMessage() string
	}
	switch {
	case code == "" && err == nil:
		return
	case code == "":
		t.Errorf("unexpected error: %v", err)
		return
	case !errors.As(err, &e) || e.ErrorCode() != string(code):
		t.Errorf("error is %v, want %s", err, code)
		return
	}
	for _, word := range words {
		if !strings.Contains(e.ErrorMessage(), word) {
			t.Errorf("message is %q, which does not tell %q", e.ErrorMessage(), word)
		}
	}
}

// Same compares two values by their JSON.
func Same(t testing.TB, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	OK(t, err)
	w, err := json.Marshal(want)
	OK(t, err)
	if string(g) != string(w) {
		t.Errorf("%s is\n%s\nwant\n%s", what, g, w)
	}
}

// Pages reads a list to its end and returns what read makes of each page.
func Pages[T any](t testing.TB, read func(token *string) (page []T, next *string, err error)) [][]T {
	t.Helper()
	var all [][]T
	var token *string
	for {
		page, next, err := read(token)
		OK(t, err)
		all = append(all, page)
		if next == nil {
			return all
		}
		if len(all) > 10_000 {
			t.Fatal("the list does not end")
		}
		token = next
	}
}

// InPages cuts a list into pages.
func InPages[T any](all []T, size int) [][]T { return slices.Collect(slices.Chunk(all, size)) }

// InstanceARN is the ARN of an instance of a booted server.
func InstanceARN(id string) string {
	return "arn:aws:connect:" + Region + ":" + Account + ":instance/" + id
}
