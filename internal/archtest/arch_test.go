package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "ringdown"

// Limits of size. They are generous: what passes them is asking to be two
// things.
const (
	maxFileLines    = 800
	maxPackageLines = 5000 // tests and generated files not counted
)

// vagueNames says nothing about what a package is for.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "base", "misc", "shared", "lib"}

func TestRepository(t *testing.T) {
	tree := os.DirFS("../..")
	if _, err := fs.Stat(tree, "go.mod"); err != nil {
		t.Fatal(err)
	}
	files, err := readTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("found only %d Go files: the test looks in the wrong place", len(files))
	}
	for _, v := range check(files) {
		t.Error(v)
	}
}

// sourceFile is what the rules look at in a Go file.
type sourceFile struct {
	dir, name string // of the package, relative to the module, and of the file
	pkg       string
	imports   []string
	lines     int
	generated bool
}

func (f *sourceFile) test() bool { return strings.HasSuffix(f.name, "_test.go") }

// readTree reads the Go files of a module. It goes by the files alone, not by
// what the go command would build, so that build tags hide nothing.
func readTree(tree fs.FS) ([]*sourceFile, error) {
	var files []*sourceFile
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			// The go command ignores these as well.
			if n := d.Name(); n == "testdata" || p != "." && (strings.HasPrefix(n, ".") || strings.HasPrefix(n, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := readFile(tree, p)
		files = append(files, f)
		return err
	})
	return files, err
}

func readFile(tree fs.FS, p string) (*sourceFile, error) {
	src, err := fs.ReadFile(tree, p)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	f := &sourceFile{
		dir: path.Dir(p), name: path.Base(p), pkg: parsed.Name.Name,
		lines: strings.Count(string(src), "\n"), generated: ast.IsGenerated(parsed),
	}
	for _, s := range parsed.Imports {
		imported, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}

// check returns what breaks the rules, one sentence each.
func check(files []*sourceFile) []string {
	var found []string
	lines := map[string]int{}
	homeless := map[string]bool{}
	for _, f := range files {
		where := path.Join(f.dir, f.name)
		if slices.Contains(vagueNames, f.pkg) {
			found = append(found, fmt.Sprintf("%s: package %s: the name does not say what the package is for; name it after what it provides", where, f.pkg))
		}
		if !f.generated && f.lines > maxFileLines {
			found = append(found, fmt.Sprintf("%s has %d lines: a hand-written file past %d holds two things; find the second and give it a file of its own", where, f.lines, maxFileLines))
		}
		if f.test() {
			continue
		}
		if !f.generated {
			lines[f.dir] += f.lines
		}
		r := roomOf(f.dir)
		if r == nil {
			homeless[f.dir] = true
			continue
		}
		for _, imported := range f.imports {
			if why := r.forbids(f.dir, imported); why != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", where, imported, why))
			}
		}
	}
	for dir := range homeless {
		found = append(found, dir+" is in no room: say in internal/archtest/rooms_test.go what it may import and why, and describe it in docs/ARCHITECTURE.md")
	}
	for dir, n := range lines {
		if n > maxPackageLines {
			found = append(found, fmt.Sprintf("%s has %d lines without its tests: a package past %d is asking to be split", dir, n, maxPackageLines))
		}
	}
	slices.Sort(found)
	return found
}

// roomOf returns the room of a package, nil when it has none.
func roomOf(dir string) *room {
	for i := range rooms {
		if holds(rooms[i].path, dir) {
			return &rooms[i]
		}
	}
	return nil
}

// holds reports whether a room's path stands for a package.
func holds(roomPath, dir string) bool {
	if folder, many := strings.CutSuffix(roomPath, "/*"); many {
		return strings.HasPrefix(dir, folder+"/")
	}
	return roomPath == dir
}

// forbids returns why a package of the room may not import what it imports,
// or nothing when it may.
func (r *room) forbids(dir, imported string) string {
	name, ours := strings.CutPrefix(imported, module+"/")
	for _, b := range bans {
		banned := slices.ContainsFunc(b.imports, func(p string) bool { return p == name || below(p, name) })
		if banned && !slices.Contains(b.only, r.path) {
			return b.why
		}
	}
	switch {
	case ours:
		return r.forbidsOurs(dir, name)
	case !strings.Contains(strings.SplitN(imported, "/", 2)[0], "."): // the standard library
		return ""
	case slices.ContainsFunc(r.modules, func(m string) bool { return m == imported || below(m, imported) }):
		return ""
	}
	return fmt.Sprintf("%s may import %s of other modules: %s", r.path, list(r.modules), r.why)
}

func (r *room) forbidsOurs(dir, name string) string {
	if slices.Equal(r.internal, everything) {
		return ""
	}
	target := roomOf(name)
	switch {
	case target == r && name != dir:
		return "siblings never import one another: " + r.why
	case target != nil && slices.Contains(r.internal, target.path):
		return ""
	}
	return fmt.Sprintf("%s may import %s: %s", r.path, list(r.internal), r.why)
}

// below reports whether an import path lies below another. The standard
// library's net is not above net/netip and net/url, which only parse.
func below(parent, p string) bool { return parent != "net" && strings.HasPrefix(p, parent+"/") }

func list(paths []string) string {
	if len(paths) == 0 {
		return "nothing"
	}
	return strings.Join(paths, ", ")
}
