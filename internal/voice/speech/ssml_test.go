package speech

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// dump writes a script in one line: words as they are, after their style in
// braces, and pauses in brackets.
func dump(s script) string {
	var all []string
	for _, p := range s.parts {
		if p.pause > 0 {
			all = append(all, fmt.Sprintf("[%v]", p.pause))
			continue
		}
		var how []string
		if p.language != "" {
			how = append(how, p.language)
		}
		for _, v := range []struct {
			name  string
			value float64
		}{{"rate", p.rate}, {"pitch", p.pitch}, {"volume", p.volume}} {
			if v.value != 0 {
				how = append(how, fmt.Sprintf("%s %v", v.name, v.value))
			}
		}
		if p.whisper {
			how = append(how, "whisper")
		}
		if p.spell {
			how = append(how, "spell")
		}
		words := strings.TrimSpace(p.text)
		if len(how) > 0 {
			words = "{" + strings.Join(how, ", ") + "} " + words
		}
		all = append(all, words)
	}
	return strings.Join(all, " ")
}

func TestParse(t *testing.T) {
	for ssml, want := range map[string]string{
		// As it should be.
		`<speak>Hello there</speak>`:                                                "Hello there",
		"<speak>\n  Hello\t there\n</speak>":                                        "Hello there",
		`<?xml version="1.0"?><!DOCTYPE speak><speak>Hello</speak>`:                 "Hello",
		`<speak>a &lt;b&gt; &amp; c &quot;d&quot; &#101;</speak>`:                   `a <b> & c "d" e`,
		`<speak>a<!-- not <b> this -->b<![CDATA[<c>&amp;]]></speak>`:                "ab<c>&amp;",
		`<speak>one<break time="1s"/>two</speak>`:                                   "one [1s] two",
		`<speak>one<break time="1.5s"/>two<break time="300ms"></break>three`:        "one [1.5s] two [300ms] three",
		`<speak>one<break time="11s"/><break time="20000ms"/>two</speak>`:           "one [20s] two",
		`<speak>one<break time="0s"/>two</speak>`:                                   "onetwo",
		`<speak>one<break time="-1s"/>two<break time="soon"/>three</speak>`:         "one [250ms] two [250ms] three",
		`<speak>one<break time="NaNs"/>two<break time="1e300s"/>three</speak>`:      "one [250ms] two [10s] three",
		`<speak>1<break strength="none"/>2<break strength="x-weak"/>3</speak>`:      "123",
		`<speak>1<break strength="weak"/>2<break strength="medium"/>3</speak>`:      "1 [250ms] 2 [250ms] 3",
		`<speak>1<break strength="strong"/>2<break strength="x-strong"/>3</speak>`:  "1 [500ms] 2 [1s] 3",
		`<speak>1<break/>2, <break/>3. <break/>4</speak>`:                           "1 [250ms] 2, [500ms] 3. [1s] 4",
		`<speak><lang xml:lang="fr-FR">Bonjour</lang> you</speak>`:                  "{fr-FR} Bonjour you",
		`<speak xml:lang="de-DE">Hallo <lang xml:lang="en-GB">you</lang></speak>`:   "{de-DE} Hallo {en-GB} you",
		`<speak>before <mark name="m"/>after</speak>`:                               "before after",
		`<speak><p>One</p><p>Two.</p>Three</speak>`:                                 "One. [500ms] Two. [500ms] Three",
		`<speak><s>One</s><s>Two?</s>Three</speak>`:                                 "One. Two?Three",
		`<speak>Zero <s xml:lang="de-DE">Eins</s> two</speak>`:                      "Zero. {de-DE} Eins. two",
		`<speak><phoneme alphabet="ipa" ph="pɪˈkɑːn">pecan</phoneme> pie</speak>`:   "pecan pie",
		`<speak><prosody rate="slow" pitch="high" volume="soft">a</prosody>b`:       "{rate 0.75, pitch 25, volume -6} a b",
		`<speak><prosody rate="85%" pitch="-10%" volume="+6dB">a</prosody></speak>`: "{rate 0.85, pitch -10, volume 6} a",
		`<speak><prosody rate="1%">a</prosody><prosody rate="900%">b</prosody>`:     "{rate 0.2} a {rate 2} b",
		`<speak><prosody rate="x" pitch="%" volume="dB" pitch="5">a</prosody>`:      "a",
		`<speak><prosody rate="slow"><prosody volume="loud">a</prosody>b</prosody>`: "{rate 0.75, volume 4} a {rate 0.75} b",
		`<speak><prosody rate="slow"><prosody rate="medium">a</prosody></prosody>`:  "a",
		`<speak><prosody volume="silent">a</prosody>b</speak>`:                      "{volume -120} a b",
		`<speak><sub alias="World Wide Web Consortium">W3C</sub>!</speak>`:          "World Wide Web Consortium !",
		`<speak><sub>W3C</sub></speak>`:                                             "W3C",
		`<speak><sub alias="a">b<break time="9s"/><s>c</s></sub>d</speak>`:          "a d",
		`<speak>I <w role="amazon:VBD">read</w> it</speak>`:                         "I read it",
		`<speak><amazon:effect name="whispered">psst</amazon:effect> you</speak>`:   "{whisper} psst you",
		`<speak><amazon:effect vocal-tract-length="+15%">a</amazon:effect></speak>`: "a",
		`<speak><say-as interpret-as="spell-out">abc</say-as> d</speak>`:            "{spell} abc d",
		`<speak><say-as interpret-as="characters">A1</say-as></speak>`:              "{spell} A1",
		`<speak><say-as interpret-as="digits">12 34</say-as></speak>`:               "1 2 3 4",
		`<speak><say-as interpret-as="telephone">+1 (206) 555-0100</say-as>`:        "+ 1, 2 0 6, 5 5 5, 0 1 0 0",
		`<speak><say-as interpret-as="cardinal">1234</say-as></speak>`:              "1234",
		`<speak><say-as interpret-as="ordinal">22</say-as></speak>`:                 "22nd",
		`<speak xml:lang="de"><say-as interpret-as="ordinal">22</say-as></speak>`:   "{de} 22",
		`<speak>It is <say-as interpret-as="expletive">gone</say-as> now</speak>`:   "It is [500ms] now",
		`<speak><say-as interpret-as="date" format="dmy">3-4-2024</say-as></speak>`: "April 3rd 2024",
		`<speak><say-as interpret-as="nonsense">a</say-as></speak>`:                 "a",
		// Tags that are not known.
		`<speak><emphasis level="strong">very</emphasis> <audio src="/etc/passwd">x</audio><voice name="y">z</voice></speak>`: "very xz",
		// As it should not be.
		``:                                   "",
		`no tags`:                            "no tags",
		`no root <break time="1s"/> here`:    "no root [1s] here",
		`<speak>not closed`:                  "not closed",
		`<speak><prosody rate="slow">a`:      "{rate 0.75} a",
		`<speak>closed</p></s></x></speak>`:  "closed",
		`<SPEAK><BREAK TIME="1s"/>a</SPEAK>`: "[1s] a",
		`<speak><prosody rate="slow">a<s>b</prosody>c</s></speak>`: "{rate 0.75} a. b c",
		`<speak>1 < 2 and 3 > 2 & <3</speak>`:                      "1 < 2 and 3 > 2 & <3",
		`<speak>a<break time="1s"`:                                 `a<break time="1s"`,
		`<speak>a<break time=1s/>b<break time = '2s' />c</speak>`:  "a [1s] b [2s] c",
		`<speak>a<b title="x>y">b</b>c</speak>`:                    "abc",
		`<speak>a<!-- never closed b</speak>`:                      "a",
		`<speak>a<![CDATA[b`:                                       "ab",
		"<speak>a\x00b\x1bc\xffd\ufffe</speak>":                    "abcd",
		`<speak>[[h@l'oU]]</speak>`:                                "[[h@l'oU]]",
		`<speak/>after`:                                            "after",
		`</speak>`:                                                 "",
		`<>a</>`:                                                   "<>a",
	} {
		if got := dump(parse(ssml)); got != want {
			t.Errorf("%s\nis  %s\nnot %s", ssml, got, want)
		}
	}
}

// TestPauses: all together they are no longer than speech may be.
func TestPauses(t *testing.T) {
	ssml := "<speak>" + strings.Repeat(`a<break time="9s"/>`, 300)
	if s := parse(ssml); s.pauses != longest || !strings.HasSuffix(dump(s), "[6s] "+strings.Repeat("a", 233)) {
		t.Errorf("%v, %s", s.pauses, dump(s))
	}
}

func TestSayAs(t *testing.T) {
	for _, c := range []struct{ text, interpret, format, language, want string }{
		{"1", "ordinal", "", "", "1st"},
		{"3", "ordinal", "", "en-US", "3rd"},
		{"11", "ordinal", "", "", "11th"},
		{"112", "ordinal", "", "", "112th"},
		{"x", "ordinal", "", "", "x"},
		{"2/9", "fraction", "", "", "2 9ths"},
		{"1/2", "fraction", "", "", "1 half"},
		{"3/4", "fraction", "", "en-GB", "3 quarters"},
		{"3+1/2", "fraction", "", "", "3 and 1 half"},
		{"1/0", "fraction", "", "", "1/0"},
		{"x+1/2", "fraction", "", "", "x+1/2"},
		{"half", "fraction", "", "", "half"},
		{"12/25/2024", "date", "mdy", "", "December 25th 2024"},
		{"12/25/2024", "date", "", "", "December 25th 2024"},
		{"2024-12-01", "date", "ymd", "", "December 1st 2024"},
		{"25.12.", "date", "dm", "", "December 25th"},
		{"12/2024", "date", "my", "", "December 2024"},
		{"20241225", "date", "yyyymmdd", "", "December 25th 2024"},
		{"????1225", "date", "yyyymmdd", "", "December 25th"},
		{"13/25/2024", "date", "mdy", "", "13/25/2024"},
		{"12/25", "date", "mdy", "", "12/25"},
		{"soon", "date", "m", "", "soon"},
		{"25/12/2024", "date", "dmy", "fr-FR", "25/12/2024"},
		{`1'21"`, "time", "", "", "1 minute 21 seconds"},
		{`2'`, "time", "", "", "2 minutes"},
		{`10:30`, "time", "", "", "10:30"},
		{`x'`, "time", "", "", "x'"},
		{"", "telephone", "", "", ""},
		{"*72#", "telephone", "", "", "* 7 2 #"},
		{"aé1", "digits", "", "", "a é 1"},
	} {
		got, _ := sayAs(c.text, c.interpret, c.format, c.language)
		if strings.TrimSpace(got) != c.want {
			t.Errorf("%q as %s %s is %q, want %q", c.text, c.interpret, c.format, got, c.want)
		}
	}
}

func TestTextTooLong(t *testing.T) {
	tags := strings.Repeat(`<mark name="x"/>`, 200) // 3,200 characters
	for name, c := range map[string]struct {
		text   Text
		err    string
		billed int // of what is spoken
	}{
		"short":            {Text{Plain: "Hello"}, "", 5},
		"just":             {Text{Plain: strings.Repeat("ä", 3000)}, "", 3000},
		"long":             {Text{Plain: strings.Repeat("ä", 3001)}, "3001 characters without", 3000},
		"very long":        {Text{Plain: strings.Repeat("ä", 6001)}, "6001 characters;", 3000},
		"tags cost little": {Text{SSML: "<speak>" + tags + strings.Repeat("ä", 2000) + "</speak>"}, "", 2000},
		"too many tags":    {Text{SSML: "<speak>" + tags + tags + "a</speak>"}, "characters;", 0},
		"words and tags":   {Text{SSML: "<speak>" + strings.Repeat("ä", 3001) + "</speak>"}, "characters without", 3000},
		"both":             {Text{Plain: "a", SSML: "b"}, "both", 1},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.text.Check()
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("the error is %v, want one with %q", err, c.err)
			}
			if got := utf8.RuneCountInString(c.text.normal().script().plain()); got != c.billed && name != "too many tags" {
				t.Errorf("%d characters are spoken, want %d", got, c.billed)
			}
		})
	}
}

// TestShorten: what is too long ends with a sentence, or with a word, not within one.
func TestShorten(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"One. Two.", 9, "One. Two."},
		{"One. Two.", 8, "One."},
		{"One. Two.", 4, "One."},
		{"One. Two.", 3, "One"},
		{"One two three", 9, "One two"},
		{"One two three", 7, "One two"},
		{"One two three", 8, "One two"},
		{"Version 1.25 is out now", 14, "Version 1.25"},
		{"Wirklich? Schöne Grüße", 12, "Wirklich?"},
		{"ääää", 3, "äää"},
		{"abc def", 0, ""},
		{"", 0, ""},
	} {
		if got := shorten(c.text, c.n); got != c.want {
			t.Errorf("%q in %d characters is %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

// wellFormed fails unless SSML for an engine is XML with those elements alone
// that espeak-ng is to see, and returns its text.
func wellFormed(t *testing.T, ssml string) string {
	t.Helper()
	var text strings.Builder
	d := xml.NewDecoder(strings.NewReader(ssml))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return text.String()
		case err != nil:
			t.Fatalf("%v in %q", err, ssml)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"speak", "break", "voice", "prosody", "say-as"}, token.Name.Local) {
				t.Fatalf("<%s> in %q", token.Name.Local, ssml)
			}
		case xml.CharData:
			text.Write(token)
		}
	}
}

func TestEspeakSSML(t *testing.T) {
	e := &espeak{voices: map[string]string{"Amy": "en-gb-scotland"}}
	for _, c := range []struct {
		text Text
		want string
	}{
		{Text{Plain: `1 < 2 & "x" <break/>`}, `<speak>1 &lt; 2 &amp; &#34;x&#34; &lt;break/&gt;</speak>`},
		{Text{SSML: `<speak>a<break time="1.25s"/>b</speak>`}, `<speak>a<break time="1250ms"/>b</speak>`},
		{Text{SSML: `<speak><prosody rate="50%" pitch="+20%" volume="-6dB">a</prosody></speak>`}, `<speak><prosody rate="50%" pitch="+20%" volume="50">a</prosody></speak>`},
		{Text{SSML: `<speak><prosody volume="silent">a</prosody></speak>`}, `<speak><prosody volume="0">a</prosody></speak>`},
		{Text{SSML: `<speak><lang xml:lang="de-DE">a</lang><lang xml:lang="x'">b</lang></speak>`}, `<speak><voice name="de+f2">a</voice>b</speak>`},
		{Text{Voice: "Matthew", SSML: `<speak><amazon:effect name="whispered">a</amazon:effect></speak>`}, `<speak><voice name="en-us+whisper">a</voice></speak>`},
		{Text{Voice: "Amy", SSML: `<speak><say-as interpret-as="characters">ab</say-as></speak>`}, `<speak><say-as interpret-as="characters">ab</say-as></speak>`},
		{Text{SSML: `<speak><audio src="/etc/passwd"/><mark name="a"/>b</speak>`}, `<speak>b</speak>`},
		{Text{Plain: "[[h@l'oU]]"}, "<speak>  h@l&#39;oU]]</speak>"},
	} {
		text := c.text.normal()
		got := e.ssml(text, text.script())
		if got != c.want {
			t.Errorf("%+v\nis  %s\nnot %s", c.text, got, c.want)
		}
		wellFormed(t, got)
	}
	if got := e.voice("amy", "en-GB", false); got != "en-gb-scotland" {
		t.Errorf("the operator's voice for Amy is %s", got)
	}
}

// FuzzSSML: whatever the SSML, what an engine is given is well formed, harmless
// and bounded.
func FuzzSSML(f *testing.F) {
	for _, s := range []string{
		`<speak>Hello <break time="1s"/> there</speak>`,
		`<speak><prosody rate="slow" volume="+6dB">a<s>b</prosody>c</s><sub alias="x">y</sub></speak>`,
		`<speak><say-as interpret-as="date" format="mdy">1/2/3</say-as><![CDATA[<audio>]]><!-- -->[[x]]</speak>`,
		`<lang xml:lang="de'&gt;<audio src=x>">a</lang><p/><amazon:effect name='whispered'>&#x3c;b&#62;`,
		strings.Repeat("<p>", 200) + "a",
	} {
		f.Add(s)
	}
	e := &espeak{}
	f.Fuzz(func(t *testing.T, ssml string) {
		text := Text{SSML: ssml}.normal()
		s := text.script()
		if n := utf8.RuneCountInString(s.plain()); n > maxTotal {
			t.Errorf("%d characters are said", n)
		}
		if s.pauses > longest {
			t.Errorf("%v of pauses", s.pauses)
		}
		if again := text.script(); dump(again) != dump(s) {
			t.Errorf("%q is read as %s and as %s", ssml, dump(s), dump(again))
		}
		out := e.ssml(text, s)
		said := wellFormed(t, out)
		if strings.Contains(said, "[[") || !utf8.ValidString(said) {
			t.Errorf("%q is said as %q", ssml, said)
		}
		for _, p := range fliteRuns(s) {
			if strings.ContainsFunc(ascii(p.text), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("flite is to say %q", ascii(p.text))
			}
		}
	})
}
