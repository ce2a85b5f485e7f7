package speech

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// sayAs writes text as say-as asks for, so that any engine says it so, and
// reports whether it is to be spelt (Amazon Polly, developer guide, "Controlling
// how special types of words are spoken"). Dates, times, ordinals and fractions
// are written out in English alone; in other languages engines have their own
// way with them.
func sayAs(text, interpret, format, language string) (said string, spell bool) {
	english := language == "" || strings.HasPrefix(strings.ToLower(language), "en")
	trimmed := strings.TrimSpace(text)
	switch interpret {
	case "characters", "spell-out":
		return text, true
	case "digits":
		return " " + apart(text) + " ", false
	case "telephone":
		return " " + telephone(text) + " ", false
	}
	if !english {
		return text, false
	}
	var ok bool
	switch interpret {
	case "ordinal":
		said, ok = ordinal(trimmed)
	case "fraction":
		said, ok = fraction(trimmed)
	case "date":
		said, ok = date(trimmed, format)
	case "time":
		said, ok = minutes(trimmed)
	}
	if !ok {
		return text, false
	}
	return " " + said + " ", false
}

// apart puts spaces between the characters of text.
func apart(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsSpace(r) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// telephone is a number digit by digit, with a pause between its groups.
func telephone(text string) string {
	plus := ""
	if text = strings.TrimSpace(text); strings.HasPrefix(text, "+") {
		plus = "+ "
	}
	groups := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '*' && r != '#' })
	for i := range groups {
		groups[i] = apart(groups[i])
	}
	return plus + strings.Join(groups, ", ")
}

func ordinal(text string) (string, bool) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return "", false
	}
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix, true
}

// fraction reads one such as 2/9 or 3+1/2.
func fraction(text string) (string, bool) {
	whole, part, mixed := strings.Cut(text, "+")
	if !mixed {
		whole, part = "", text
	}
	upper, lower, ok := strings.Cut(part, "/")
	n, err1 := strconv.Atoi(strings.TrimSpace(upper))
	d, err2 := strconv.Atoi(strings.TrimSpace(lower))
	if !ok || err1 != nil || err2 != nil || n < 0 || d < 2 {
		return "", false
	}
	name, _ := ordinal(strconv.Itoa(d))
	plural := name + "s"
	switch d {
	case 2:
		name, plural = "half", "halves"
	case 4:
		name, plural = "quarter", "quarters"
	}
	if n != 1 {
		name = plural
	}
	said := fmt.Sprintf("%d %s", n, name)
	if mixed {
		w, err := strconv.Atoi(strings.TrimSpace(whole))
		if err != nil {
			return "", false
		}
		said = fmt.Sprintf("%d and %s", w, said)
	}
	return said, true
}

// date reads one in a format such as mdy, or as yyyymmdd, in which a part that
// is not known is written as question marks.
func date(text, format string) (string, bool) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/-. ,", r) })
	if len(text) == 8 && len(fields) == 1 && (format == "yyyymmdd" || format == "") {
		fields, format = []string{text[:4], text[4:6], text[6:]}, "ymd"
	}
	if format == "" {
		format = "mdy"
	}
	if len(fields) != len(format) {
		return "", false
	}
	var said [3]string // month, day, year
	for i, f := range fields {
		if strings.Trim(f, "?") == "" {
			continue
		}
		n, err := strconv.Atoi(f)
		switch {
		case err != nil:
			return "", false
		case format[i] == 'm' && n >= 1 && n <= 12:
			said[0] = time.Month(n).String()
		case format[i] == 'd' && n >= 1 && n <= 31:
			said[1], _ = ordinal(strconv.Itoa(n))
		case format[i] == 'y' && n >= 0:
			said[2] = f
		default:
			return "", false
		}
	}
	words := slices.DeleteFunc(said[:], func(s string) bool { return s == "" })
	return strings.Join(words, " "), len(words) > 0
}

// minutes reads a time such as 1'21", which is one minute and 21 seconds. Times
// of the day engines know.
func minutes(text string) (string, bool) {
	m, s, ok := strings.Cut(text, "'")
	if !ok {
		return "", false
	}
	var said []string
	for _, part := range []struct{ number, unit string }{{m, "minute"}, {strings.TrimSuffix(s, `"`), "second"}} {
		if part.number == "" {
			continue
		}
		n, err := strconv.Atoi(part.number)
		if err != nil || n < 0 {
			return "", false
		}
		if n != 1 {
			part.unit += "s"
		}
		said = append(said, fmt.Sprintf("%d %s", n, part.unit))
	}
	return strings.Join(said, " "), len(said) > 0
}
