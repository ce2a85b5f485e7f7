package login

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ringdown/internal/login/logintest"
	"ringdown/internal/signin"
)

// state is a page in one of its states.
type state struct {
	name string
	get  string
	post url.Values // sent to get by a form
	with func(*site)
}

var states = []state{
	{name: "entry", get: "/-/login/"},
	{name: "entry-unknown", get: "/-/login/", post: url.Values{"alias": {"nowhere"}}},
	{name: "unknown-instance", get: "/-/login/nowhere"},
	{name: "sign-in", get: "/-/login/acme"},
	{name: "sign-in-directory", get: "/-/login/" + string(directory.ID)},
	{name: "sign-in-wrong", get: "/-/login/acme", post: url.Values{"username": {"jane"}, "password": {"x"}}},
	{name: "sign-in-empty", get: "/-/login/acme", post: url.Values{"username": {""}, "password": {""}}},
	{name: "sign-in-too-many", get: "/-/login/acme", post: url.Values{"username": {"jane"}, "password": {"x"}}, with: func(s *site) {
		s.refuse = &signin.Refusal{Reason: signin.TooMany, Wait: 125 * time.Second}
	}},
	{name: "sign-in-directory-down", get: "/-/login/" + string(directory.ID), post: url.Values{"username": {"jane"}, "password": {"x"}}, with: func(s *site) {
		s.refuse = &signin.Refusal{Reason: signin.DirectoryDown}
	}},
	{name: "sign-in-changed", get: "/-/login/acme?done=password"},
	{name: "ways", get: "/-/login/corp"},
	{name: "ways-one", get: "/-/login/corp?choose", with: func(s *site) { s.ways = s.ways[:1] }},
	{name: "ways-none", get: "/-/login/corp", with: func(s *site) { s.ways = nil }},
	{name: "not-accepted", get: "/-/login/corp/saml", post: url.Values{"SAMLResponse": {"x"}}, with: func(s *site) {
		s.refuse = &signin.Refusal{Reason: signin.NotAccepted}
	}},
	{name: "forgot", get: "/-/login/acme/forgot"},
	{name: "forgot-sent", get: "/-/login/acme/forgot?sent"},
	{name: "reset", get: "/-/login/acme/reset", with: func(s *site) { s.cookies[resetCookie] = &http.Cookie{Name: resetCookie, Value: resetCode} }},
	{name: "reset-used", get: "/-/login/acme/reset"},
	{name: "change", get: "/-/login/acme/change", with: func(s *site) { s.signedIn(managed, signin.ByPassword) }},
	{name: "change-wrong", get: "/-/login/acme/change", post: url.Values{"current": {"x"}, "new": {"x"}, "again": {"y"}, "form": {formToken(sessionToken, "change")}}, with: func(s *site) {
		s.signedIn(managed, signin.ByPassword)
	}},
	{name: "change-forced", get: "/-/login/acme/change", with: func(s *site) { s.cookies[changeCookie] = &http.Cookie{Name: changeCookie, Value: mustToken} }},
	{name: "home", get: "/-/login/acme/home", with: func(s *site) { s.signedIn(managed, signin.ByPassword) }},
	{name: "home-changed", get: "/-/login/acme/home?done=password", with: func(s *site) { s.signedIn(managed, signin.ByPassword) }},
	{name: "signed-out", get: "/-/login/acme/signed-out"},
	{name: "broken", get: "/-/login/acme", with: func(s *site) { s.broken = errBroken }},
}

// gallery serves all states beside each other, each from pages of its own; what
// a form would send is sent for it.
func gallery(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for _, st := range states {
		s := newSite(t)
		if st.with != nil {
			st.with(s)
		}
		mux.HandleFunc("/"+st.name, func(w http.ResponseWriter, _ *http.Request) {
			var got *answered
			if st.post != nil {
				got = s.post(st.get, st.post)
			} else {
				got = s.get(st.get)
			}
			for name, values := range got.Header() {
				if name != "Set-Cookie" {
					w.Header()[name] = values
				}
			}
			w.WriteHeader(got.Code)
			fmt.Fprint(w, got.body)
		})
	}
	mux.Handle("/-/login/assets/", newSite(t).handler)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// looks is what a browser says of a page.
type looks struct {
	Width     int      // of the content
	Stops     []stop   // where Tab leads, in that order
	Focused   string   // what has the focus at first: id or text
	Low       []string // texts whose contrast is less than 4.5 (WCAG 2.2, 1.4.3)
	Contrast  float64  // the lowest
	FirstEdge float64  // where the first input begins
	Headings  []string // h1 and h2
	Scripts   int
}

// stop is an element that takes the focus.
type stop struct {
	What                     string
	Top, Left, Width, Height float64
	InText                   bool // a link within a sentence
}

// looking is run in the page and answers with looks.
const looking = `(() => {
	const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m };
	const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
	const ground = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
	};
	const light = (c) => {
		const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 });
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05) };
	const name = (e) => e.id || e.textContent.trim();
	let least = 21;
	const low = [];
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = texts.nextNode());) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility()) continue;
		const behind = ground(e), c = contrast(over(parse(getComputedStyle(e).color), behind), behind);
		least = Math.min(least, c);
		if (c < 4.5) low.push(n.data.trim() + ' ' + c.toFixed(2));
	}
	for (const e of document.querySelectorAll('input:not([type=hidden])')) {
		const style = getComputedStyle(e), c = contrast(parse(style.color), ground(e));
		least = Math.min(least, c);
		if (c < 4.5) low.push('input ' + e.id + ' ' + c.toFixed(2));
		const edge = contrast(parse(style.borderColor), ground(e.parentElement));
		if (edge < 3 && !e.readOnly) low.push('edge of ' + e.id + ' ' + edge.toFixed(2)); // WCAG 2.2, 1.4.11
	}
	const first = document.querySelector('input:not([type=hidden])');
	return {
		Width: document.documentElement.scrollWidth,
		Stops: [...document.querySelectorAll('a[href], button, input:not([type=hidden])')].map((e) => {
			const b = e.getBoundingClientRect();
			return { What: name(e), Top: b.top, Left: b.left, Width: b.width, Height: b.height, InText: !!e.closest('p') };
		}),
		Focused: document.activeElement === document.body ? '' : name(document.activeElement),
		Low: low, Contrast: least,
		FirstEdge: first ? first.getBoundingClientRect().top + scrollY : 0,
		Headings: [...document.querySelectorAll('h1, h2')].map((e) => e.tagName + ' ' + e.textContent),
		Scripts: document.scripts.length,
	};
})()`

// screens are what the pages are shown on. A page at 200 % on a desk of 1280 is as
// wide as one of 640 with letters twice the size at most.
var screens = []struct {
	name          string
	width, height int64
	letters       string // size of the root's
	schemes       []string
}{
	{"phone", 360, 740, "", []string{"light", "dark"}},
	{"desk", 1280, 800, "", []string{"light", "dark"}},
	{"narrow", 320, 568, "", []string{"light"}},
	{"zoomed", 640, 400, "200%", []string{"light"}},
}

// TestLook shows every page in every state to a browser: on a telephone and on a
// desk, in both schemes. Pictures are taken when RINGDOWN_PICTURES names a folder
// for them.
func TestLook(t *testing.T) {
	ctx := logintest.Chromium(t)
	server := gallery(t)
	pictures := os.Getenv("RINGDOWN_PICTURES")
	least := 21.0
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		for _, screen := range screens {
			if !slices.Contains(screen.schemes, scheme) {
				continue
			}
			edges := map[string]float64{}
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(screen.width, screen.height)); err != nil {
				t.Fatal(err)
			}
			for _, st := range states {
				where := fmt.Sprintf("%s-%s-%s", st.name, screen.name, scheme)
				got := lookAt(ctx, t, server.URL+"/"+st.name, screen.letters)
				if pictures != "" {
					picture(ctx, t, filepath.Join(pictures, where+".png"))
				}
				got.check(t, where, int(screen.width))
				least = min(least, got.Contrast)
				edges[st.name] = got.FirstEdge
			}
			// What is wrong is said where there was a hint: nothing moves.
			if screen.letters != "" {
				continue
			}
			for _, pair := range [][2]string{
				{"sign-in", "sign-in-wrong"},
				{"sign-in", "sign-in-empty"},
				{"sign-in", "sign-in-too-many"},
				{"sign-in", "sign-in-changed"},
				{"entry", "entry-unknown"},
				{"change", "change-wrong"},
			} {
				if a, b := edges[pair[0]], edges[pair[1]]; a != b || a == 0 {
					t.Errorf("%s, %s: the form is at %v in %s and at %v in %s", screen.name, scheme, a, pair[0], b, pair[1])
				}
			}
		}
	}
	t.Logf("%d states on %d screens, the lowest contrast is %.1f", len(states), len(screens), least)
}

// lookAt opens a page, and waits until it is drawn and has the focus somewhere.
func lookAt(ctx context.Context, t *testing.T, address, letters string) *looks {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[looks](`(async () => {
		document.documentElement.style.fontSize = "`+letters+`";
		await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
		return `+looking+`;
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return &got
}

// picture takes a picture of the whole page.
func picture(ctx context.Context, t *testing.T, file string) {
	t.Helper()
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, shot, 0o600); err != nil {
		t.Fatal(err)
	}
}

// check is what holds for every page.
func (l *looks) check(t *testing.T, where string, width int) {
	t.Helper()
	if l.Width > width {
		t.Errorf("%s: the page is %d wide and scrolls sideways", where, l.Width)
	}
	for _, low := range l.Low {
		t.Errorf("%s: too little contrast: %s", where, low)
	}
	if len(l.Headings) == 0 || !strings.HasPrefix(l.Headings[0], "H1 ") {
		t.Errorf("%s: headings are %q", where, l.Headings)
	}
	if l.Scripts != 0 {
		t.Errorf("%s: has scripts", where)
	}
	for i, s := range l.Stops {
		if s.Height < 44 && !s.InText || s.Width < 44 {
			t.Errorf("%s: %q is %v by %v", where, s.What, s.Width, s.Height)
		}
		if s.Left < 0 || s.Left+s.Width > float64(width) {
			t.Errorf("%s: %q is cut off", where, s.What)
		}
		if i > 0 && s.Top < l.Stops[i-1].Top {
			t.Errorf("%s: the focus goes from %q up to %q", where, l.Stops[i-1].What, s.What)
		}
	}
}

// TestNames: names of either direction of writing, and such as try to turn what
// stands beside them, are shown as they are.
func TestNames(t *testing.T) {
	ctx := logintest.Chromium(t)
	for _, c := range []struct {
		name      string
		user      signin.User
		direction string // of the user name
	}{
		{"left to right", signin.User{ID: "u", Username: "jane", FirstName: "Jane", LastName: "Doe"}, "ltr"},
		{"right to left", signin.User{ID: "u", Username: "مريم", FirstName: "مريم", LastName: "الكبرى (2)"}, "rtl"},
		{"turning", signin.User{ID: "u", Username: "jane\u202e", FirstName: "\u202eJane", LastName: "Doe"}, "ltr"},
	} {
		s := newSite(t)
		s.user = c.user
		s.signedIn(managed, signin.ByPassword)
		s.ways = []signin.Way{{Door: signin.BySAML, Name: "corp", Label: c.user.FirstName}}
		mux := http.NewServeMux()
		mux.Handle("/-/login/assets/", s.handler)
		for _, page := range []string{"/-/login/acme/home", "/-/login/acme/change", "/-/login/corp?choose"} {
			path, _, _ := strings.Cut(page, "?")
			mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.get(page).body) })
		}
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		// Where the words after the name begin and end.
		lookAt(ctx, t, server.URL+"/-/login/acme/home", "")
		edges, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`(() => {
			const door = [...document.querySelectorAll('dd > .quiet')].find((e) => e.textContent.startsWith('with')).firstChild;
			const at = (i) => { const r = document.createRange(); r.setStart(door, i); r.setEnd(door, i + 1); return r.getBoundingClientRect().left };
			return [at(0), at(3)];
		})()`))
		if err != nil {
			t.Fatal(err)
		}
		if edges[0] >= edges[1] {
			t.Errorf("%s: the words beside the name are turned: %v", c.name, edges)
		}
		for page, element := range map[string]string{"acme/home": "dd bdi", "acme/change": "#username", "corp?choose": ".button bdi"} {
			lookAt(ctx, t, server.URL+"/-/login/"+page, "")
			got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("`+element+`") ?? document.body).direction`))
			if err != nil {
				t.Fatal(err)
			}
			if got != c.direction {
				t.Errorf("%s: on %s the name is written %s, want %s", c.name, page, got, c.direction)
			}
		}
	}
}

// TestOrigin: a browser says where our forms come from, in the header that those
// have which do not send Sec-Fetch-Site.
func TestOrigin(t *testing.T) {
	ctx := logintest.Chromium(t)
	s := newSite(t)
	type answer struct {
		origin string
		status int
	}
	posted := make(chan answer, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			s.handler.ServeHTTP(w, r)
			return
		}
		r.Header.Del("Sec-Fetch-Site")
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		posted <- answer{r.Header.Get("Origin"), rec.Code}
	}))
	t.Cleanup(server.Close)
	lookAt(ctx, t, server.URL+"/-/login/acme", "")
	for _, typed := range []string{"jane", kb.Tab, wrongPassword, kb.Enter} {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(typed)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case got := <-posted:
		if want := (answer{server.URL, http.StatusUnauthorized}); got != want {
			t.Errorf("the form that the browser sends is from and answered with %v, want %v", got, want)
		}
	case <-ctx.Done():
		t.Fatal("the browser has sent no form")
	}
}

// TestAccessibility asks the browser what it tells assistive technology.
func TestAccessibility(t *testing.T) {
	ctx := logintest.Chromium(t)
	server := gallery(t)
	if _, err := chromedp.Call(ctx, accessibility.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	focus := map[string]string{
		"sign-in": "username", "sign-in-wrong": "say", "sign-in-too-many": "say", "entry": "alias", "entry-unknown": "say",
		"change": "current", "change-wrong": "say", "forgot": "username",
	}
	for _, st := range states {
		page := lookAt(ctx, t, server.URL+"/"+st.name, "")
		tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := focus[st.name]; ok && page.Focused != want {
			t.Errorf("%s: the focus is at %q, want %q", st.name, page.Focused, want)
		}
		var roles []string
		named := 0
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			role, name := text(n.Role), text(n.Name)
			roles = append(roles, role)
			switch role {
			case "textbox", "button", "link", "heading", "RootWebArea":
				if name == "" {
					t.Errorf("%s: a %s has no name", st.name, role)
				}
			}
			switch role {
			case "textbox", "button", "link":
				named++
			}
		}
		if named != len(page.Stops) {
			t.Errorf("%s: Tab leads to %d elements, assistive technology knows %d", st.name, len(page.Stops), named)
		}
		if !slices.Contains(roles, "main") {
			t.Errorf("%s: there is no main part among %q", st.name, roles)
		}
		if wrong := st.post != nil && page.FirstEdge > 0; wrong != slices.Contains(roles, "alert") {
			t.Errorf("%s: what is wrong is told is %v, want %v", st.name, !wrong, wrong)
		}
	}
}

// text is the value of what the browser says of a node.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}
