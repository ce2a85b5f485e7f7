package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedFilesAreCurrent: what is committed is what the model says.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	raw, err := os.ReadFile("../models/connectparticipant.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the model says: run \"go generate ./internal/contract\" and commit it", name)
		}
	}
	// Nothing beside them: a file that is no longer generated would stay.
	for _, dir := range []string{"connectparticipant", "connectparticipant/types"} {
		found, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if name := filepath.ToSlash(strings.TrimPrefix(path, "../")); files[name] == nil {
				t.Errorf("%s is not generated", name)
			}
		}
	}
}

// TestUnknownShapes: what the generator cannot express stops it, rather than
// leaving a member out.
func TestUnknownShapes(t *testing.T) {
	for name, c := range map[string]struct{ model, want string }{
		"no JSON":   {`{`, "unexpected end"},
		"a union":   {`{"shapes": {"Either": {"type": "structure", "union": true, "members": {"A": {"shape": "Text"}}}, "Text": {"type": "string"}}}`, "Either is a union"},
		"a blob":    {`{"shapes": {"Holder": {"type": "structure", "members": {"A": {"shape": "Bytes"}}}, "Bytes": {"type": "blob"}}}`, `Holder.A: Bytes has the type "blob"`},
		"map value": {`{"shapes": {"Holder": {"type": "structure", "members": {"A": {"shape": "M"}}}, "M": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Bytes"}}, "Text": {"type": "string"}, "Bytes": {"type": "blob"}}}`, `the type "blob"`},
	} {
		if _, err := generate([]byte(c.model)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
