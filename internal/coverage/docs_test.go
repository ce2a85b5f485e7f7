package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the repository, seen from this package.
const root = "../.."

func TestCoveragePageIsCurrent(t *testing.T) {
	want, err := page()
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(root, "docs/coverage.md")); got != want {
		t.Error("docs/coverage.md is not what the binding says: run \"make docs\" and commit it")
	}
}

func TestEveryFamilyHasOperations(t *testing.T) {
	p, err := page()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.Contains(p, "| ["+f.name+"](#"+anchor(f.name)+") | 0 | 0 |") {
			t.Errorf("the family %q has no operations: a pattern above it takes them, or the API no longer has them", f.name)
		}
	}
	if _, err := familyOf("FrobnicateGadget"); err == nil {
		t.Error("an operation of no family was given one")
	}
}

var (
	fence   = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	span    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	markup  = regexp.MustCompile("[`*]|\\]\\([^)]*\\)")
)

// TestLinks follows every relative link of every page to a file and, when it
// has a fragment, to a heading.
func TestLinks(t *testing.T) {
	for _, file := range pages(t) {
		text := span.ReplaceAllString(fence.ReplaceAllString(read(t, file), ""), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			path, fragment, _ := strings.Cut(m[1], "#")
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), filepath.FromSlash(path))
			}
			switch _, err := os.Stat(target); {
			case errors.Is(err, fs.ErrNotExist):
				t.Errorf("%s: the link %s leads nowhere", file, m[1])
			case err != nil:
				t.Error(err)
			case fragment != "" && !slices.Contains(anchors(t, target), fragment):
				t.Errorf("%s: the link %s: %s has no such heading", file, m[1], target)
			}
		}
	}
}

func anchors(t *testing.T, file string) []string {
	var list []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(read(t, file), ""), -1) {
		list = append(list, anchor(markup.ReplaceAllString(m[1], "")))
	}
	return list
}

// TestMakeTargets finds each "make TARGET" that a page tells people to type in
// the Makefile.
func TestMakeTargets(t *testing.T) {
	makefile := read(t, filepath.Join(root, "Makefile"))
	command := regexp.MustCompile("(?m)(?:^[ \t]*(?:\\$ )?|`)(?:[A-Z_]+=\\S+ )*make ([a-z][a-z-]*)")
	told := 0
	for _, file := range pages(t) {
		for _, m := range command.FindAllStringSubmatch(read(t, file), -1) {
			told++
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
				t.Errorf("%s says \"make %s\", which the Makefile does not have", file, m[1])
			}
		}
	}
	if told == 0 {
		t.Error("no page tells of any make target: the pattern of this test is wrong")
	}
}

// TestSettingsAreDocumented compares the README's table with the flags that
// cmd/ringdown declares.
func TestSettingsAreDocumented(t *testing.T) {
	declared := declaredFlags(t)
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)`").FindAllStringSubmatch(read(t, filepath.Join(root, "README.md")), -1) {
		documented[m[1]] = true
	}
	compare(t, "flag", "README.md", declared, documented)
}

// declaredFlags are the names that settings.flags gives to the flag package.
func declaredFlags(t *testing.T) map[string]bool {
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "cmd/ringdown/config.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "flags" {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if ok && (method.Sel.Name == "String" || strings.HasSuffix(method.Sel.Name, "Var")) {
				names[firstString(call.Args)] = true
			}
			return true
		})
	}
	return names
}

func firstString(args []ast.Expr) string {
	for _, a := range args {
		if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING {
			s, _ := strconv.Unquote(l.Value)
			return s
		}
	}
	return ""
}

// TestMetricsAreDocumented compares docs/operations.md with the metrics that
// the code names.
func TestMetricsAreDocumented(t *testing.T) {
	declared, documented := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, m := range regexp.MustCompile(`(?:Name: |NewDesc\()"(ringdown_[a-z_]+)"`).FindAllStringSubmatch(read(t, path), -1) {
			declared[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(ringdown_[a-z_]+)`").FindAllStringSubmatch(read(t, filepath.Join(root, "docs/operations.md")), -1) {
		documented[m[1]] = true
	}
	compare(t, "metric", "docs/operations.md", declared, documented)
}

func compare(t *testing.T, what, page string, declared, documented map[string]bool) {
	t.Helper()
	if len(declared) == 0 {
		t.Errorf("no %s was found in the code: the pattern of this test is wrong", what)
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if !documented[name] {
			t.Errorf("the table in %s does not have the %s %s", page, what, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if !declared[name] {
			t.Errorf("the table in %s has the %s %s, the code has not", page, what, name)
		}
	}
}

// pages are all Markdown files at the top and under docs.
func pages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
