package flow

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTestCases(t *testing.T) {
	for name, content := range documents(t, "tests") {
		t.Run(name, func(t *testing.T) {
			problems := CheckTest(content)
			if strings.HasPrefix(name, "good-") {
				if len(problems) > 0 {
					t.Error(render(problems))
				}
				return
			}
			if len(problems) == 0 {
				t.Error("nothing is wrong with it")
			}
			golden(t, filepath.Join("testdata", "tests", name+".problems"), render(problems))
		})
	}
}

func FuzzCheckTest(f *testing.F) {
	for _, content := range documents(f, "tests") {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		for _, p := range CheckTest(content) {
			if p.Message == "" || p.Rule == "" || p.Line < 1 || p.Column < 1 {
				t.Errorf("incomplete: %+v", p)
			}
		}
	})
}
