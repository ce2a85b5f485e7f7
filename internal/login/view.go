package login

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"ringdown/internal/signin"
)

//go:embed templates assets
var files embed.FS

// look is what the pages look like, read once.
type look struct {
	pages  map[string]*template.Template // by name, each within the layout
	assets map[string][]byte             // by the name that they are served under
	urls   map[string]string             // from an asset's own name to its URL
}

// newLook reads what is embedded; that it can be read, a test shows.
func newLook() *look {
	l := &look{pages: map[string]*template.Template{}, assets: map[string][]byte{}, urls: map[string]string{}}
	for _, file := range names("assets/*") {
		content, err := files.ReadFile(file)
		if err != nil {
			continue // it has just been listed
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(file)
		name := strings.TrimSuffix(path.Base(file), ext)
		// The name changes with the content, so that browsers may keep it for ever.
		served := name + "-" + hex.EncodeToString(sum[:8]) + ext
		l.assets[served] = content
		l.urls[path.Base(file)] = Path + "assets/" + served
	}
	layout := template.New("layout.html").Funcs(template.FuncMap{
		"asset": func(name string) string { return l.urls[name] },
	})
	layout = template.Must(layout.ParseFS(files, "templates/layout.html", "templates/parts.html"))
	for _, file := range names("templates/*.html") {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		l.pages[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, file))
	}
	return l
}

func names(pattern string) []string {
	found, err := fs.Glob(files, pattern)
	if err != nil {
		return nil // only of a malformed pattern
	}
	return found
}

// view is what a page shows.
type view struct {
	Title   string // the state: what the page is for, or what has happened
	Name    string // of the contact centre; empty: none is known
	Root    string // path of its sign-in page
	Hint    string // what to do, or what has just been done
	Problem *problem
	Done    bool // Hint tells of something that has been done

	Text  []string
	Links []link

	Username    string
	Destination string
	Form        string // its token
	Forced      bool   // the password must be changed
	Ways        []link
	Forgettable bool // there is a page for those who have forgotten the password
	Session     *sessionView
}

// problem is what is wrong with what was typed, and where.
type problem struct {
	Title string // without a full stop
	Text  string // what to do; may be empty
	Field string // id of the input; empty: none in particular
}

// sessionView is a session in words.
type sessionView struct {
	Who, Username, Door, Left string
	Began, Expires            moment
	CanChange                 bool
}

// moment is a time as machines and people read it. Where somebody is, a page
// without scripts does not know, so it is in UTC and says so.
type moment struct{ Machine, Human string }

func at(t time.Time) moment {
	t = t.UTC()
	return moment{t.Format(time.RFC3339), t.Format("2 January 2006, 15:04 UTC")}
}

// show writes a page.
func (v *visit) show(status int, page string, d view) {
	if v.in != nil {
		d.Name, d.Root = v.in.Alias, signin.Root(v.in)
		if d.Name == "" {
			d.Name = string(v.in.ID)
		}
	}
	var b bytes.Buffer
	if err := v.p.look.pages[page].Execute(&b, d); err != nil {
		v.p.Logger.Error("page cannot be shown", "page", page, "err", err)
		status = http.StatusInternalServerError
		b.Reset()
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.write(status, b.Bytes())
}

// asset serves a file that the pages load.
func asset(name string, content []byte) answer {
	kind := "text/css; charset=utf-8"
	if path.Ext(name) == ".svg" {
		kind = "image/svg+xml"
	}
	return func(v *visit) error {
		v.w.Header().Set("Content-Type", kind)
		v.w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		v.write(http.StatusOK, content)
		return nil
	}
}

// words says a duration as people do, rounded up: whoever waits that long has
// waited long enough.
func words(d time.Duration) string {
	seconds := int((d + time.Second - 1) / time.Second)
	minutes := (seconds + 59) / 60
	switch {
	case seconds < 60:
		return count(max(seconds, 1), "second")
	case minutes < 60:
		return count(minutes, "minute")
	case minutes%60 == 0:
		return count(minutes/60, "hour")
	default:
		return count(minutes/60, "hour") + " and " + count(minutes%60, "minute")
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
