package speech

import (
	"slices"
	"strings"
)

// defaultVoice is that of Amazon Connect's flows.
const defaultVoice = "Joanna"

type gender byte

const (
	female gender = iota
	male
)

// voice is one of Amazon Polly's.
type voice struct {
	name     string
	language string
	gender   gender
}

// voices are those of Amazon Polly of all engines (developer guide, "Available
// voices").
var voices = []voice{
	{"Zeina", "arb", female},
	{"Hala", "ar-AE", female},
	{"Zayd", "ar-AE", male},
	{"Arlet", "ca-ES", female},
	{"Jitka", "cs-CZ", female},
	{"Hiujin", "yue-CN", female},
	{"Zhiyu", "cmn-CN", female},
	{"Naja", "da-DK", female},
	{"Mads", "da-DK", male},
	{"Sofie", "da-DK", female},
	{"Lisa", "nl-BE", female},
	{"Laura", "nl-NL", female},
	{"Lotte", "nl-NL", female},
	{"Ruben", "nl-NL", male},
	{"Nicole", "en-AU", female},
	{"Olivia", "en-AU", female},
	{"Russell", "en-AU", male},
	{"Amy", "en-GB", female},
	{"Emma", "en-GB", female},
	{"Brian", "en-GB", male},
	{"Arthur", "en-GB", male},
	{"Geraint", "en-GB-WLS", male},
	{"Aditi", "en-IN", female},
	{"Raveena", "en-IN", female},
	{"Kajal", "en-IN", female},
	{"Niamh", "en-IE", female},
	{"Aria", "en-NZ", female},
	{"Jasmine", "en-SG", female},
	{"Ayanda", "en-ZA", female},
	{"Joanna", "en-US", female},
	{"Matthew", "en-US", male},
	{"Danielle", "en-US", female},
	{"Gregory", "en-US", male},
	{"Ivy", "en-US", female},
	{"Kendra", "en-US", female},
	{"Kimberly", "en-US", female},
	{"Salli", "en-US", female},
	{"Ruth", "en-US", female},
	{"Tiffany", "en-US", female},
	{"Joey", "en-US", male},
	{"Justin", "en-US", male},
	{"Kevin", "en-US", male},
	{"Stephen", "en-US", male},
	{"Patrick", "en-US", male},
	{"Suvi", "fi-FI", female},
	{"Isabelle", "fr-BE", female},
	{"Chantal", "fr-CA", female},
	{"Gabrielle", "fr-CA", female},
	{"Liam", "fr-CA", male},
	{"Celine", "fr-FR", female},
	{"Lea", "fr-FR", female},
	{"Ambre", "fr-FR", female},
	{"Mathieu", "fr-FR", male},
	{"Remi", "fr-FR", male},
	{"Florian", "fr-FR", male},
	{"Hannah", "de-AT", female},
	{"Sabrina", "de-CH", female},
	{"Marlene", "de-DE", female},
	{"Vicki", "de-DE", female},
	{"Hans", "de-DE", male},
	{"Daniel", "de-DE", male},
	{"Lennart", "de-DE", male},
	{"Dora", "is-IS", female},
	{"Karl", "is-IS", male},
	{"Carla", "it-IT", female},
	{"Bianca", "it-IT", female},
	{"Beatrice", "it-IT", female},
	{"Giorgio", "it-IT", male},
	{"Adriano", "it-IT", male},
	{"Lorenzo", "it-IT", male},
	{"Mizuki", "ja-JP", female},
	{"Kazuha", "ja-JP", female},
	{"Tomoko", "ja-JP", female},
	{"Takumi", "ja-JP", male},
	{"Seoyeon", "ko-KR", female},
	{"Jihye", "ko-KR", female},
	{"Liv", "nb-NO", female},
	{"Ida", "nb-NO", female},
	{"Ewa", "pl-PL", female},
	{"Maja", "pl-PL", female},
	{"Ola", "pl-PL", female},
	{"Jacek", "pl-PL", male},
	{"Jan", "pl-PL", male},
	{"Camila", "pt-BR", female},
	{"Vitoria", "pt-BR", female},
	{"Ricardo", "pt-BR", male},
	{"Thiago", "pt-BR", male},
	{"Ines", "pt-PT", female},
	{"Cristiano", "pt-PT", male},
	{"Carmen", "ro-RO", female},
	{"Tatyana", "ru-RU", female},
	{"Maxim", "ru-RU", male},
	{"Conchita", "es-ES", female},
	{"Lucia", "es-ES", female},
	{"Alba", "es-ES", female},
	{"Enrique", "es-ES", male},
	{"Sergio", "es-ES", male},
	{"Raul", "es-ES", male},
	{"Mia", "es-MX", female},
	{"Andres", "es-MX", male},
	{"Lupe", "es-US", female},
	{"Penelope", "es-US", female},
	{"Miguel", "es-US", male},
	{"Pedro", "es-US", male},
	{"Astrid", "sv-SE", female},
	{"Elin", "sv-SE", female},
	{"Filiz", "tr-TR", female},
	{"Burcu", "tr-TR", female},
	{"Gwyneth", "cy-GB", female},
}

// findVoice is the voice of a name, which may be in any case. Of one that is not
// known only the name is.
func findVoice(name string) (v voice, rank int, ok bool) {
	for _, v = range voices {
		if strings.EqualFold(v.name, name) {
			return v, rankOf(v), true
		}
	}
	return voice{name: name}, 0, false
}

// rankOf tells apart voices of the same language and gender.
func rankOf(v voice) int {
	rank := 0
	for _, w := range voices {
		if w.name == v.name {
			break
		}
		if w.language == v.language && w.gender == v.gender {
			rank++
		}
	}
	return rank
}

// resolve fills in what a text does not say of its voice. A voice speaks its own
// language if it is not asked for another.
func resolve(name, language string) (voice, lang string) {
	if name == "" {
		name = defaultVoice
	}
	v, _, ok := findVoice(name)
	switch {
	case language != "":
		return v.name, language
	case ok:
		return v.name, v.language
	default:
		return v.name, "en-US"
	}
}

// espeakLanguages are the languages of espeak-ng by those that it has under
// another name, in lower case.
var espeakLanguages = map[string]string{
	"arb": "ar", "cmn": "cmn", "zh": "cmn", "zh-cn": "cmn", "zh-tw": "cmn", "zh-hk": "yue", "yue": "yue",
	"en": "en-us", "en-us": "en-us", "en-au": "en-gb", "en-gb": "en-gb", "en-ie": "en-gb", "en-in": "en-gb",
	"en-nz": "en-gb", "en-sg": "en-gb", "en-za": "en-gb", "en-ca": "en-us",
	"es": "es", "es-mx": "es-419", "es-us": "es-419", "fr": "fr-fr", "fr-be": "fr-be", "fr-ch": "fr-ch",
	"no": "nb", "nn": "nb", "nb": "nb", "pt": "pt", "pt-br": "pt-br",
}

// espeakSame are the languages that it has under their own name.
const espeakSame = " af am an ar as az be bg bn bs ca cs cy da de el eo et eu fa fi ga gd gn gu hi hr hu hy ia id is it ja ka kk kn ko ku ky la lb lt lv mi mk ml mr ms mt my ne nl om or pa pap pl ro ru sd si sk sl sq sr sv sw ta te th tk tn tr tt ug uk ur uz vi "

// espeakLanguage is what espeak-ng calls a language, "" if it has none like it.
func espeakLanguage(language string) string {
	language = strings.ToLower(strings.ReplaceAll(language, "_", "-"))
	for language != "" {
		if l, ok := espeakLanguages[language]; ok {
			return l
		}
		if !strings.Contains(language, " ") && strings.Contains(espeakSame, " "+language+" ") {
			return language
		}
		at := strings.LastIndexByte(language, '-')
		language = language[:max(0, at)]
	}
	return ""
}

// The variants of espeak-ng's voices, in the order in which voices of the same
// language and gender get them.
var (
	femaleVariants = []string{"f2", "f3", "f4", "f5", "f1"}
	maleVariants   = []string{"m3", "m1", "m7", "m2", "m4", "m6"}
)

// espeakVoice is the voice of espeak-ng for one of Amazon Polly's in a language.
// A name that is not known is that of a woman, as the default voice's is.
func espeakVoice(name, language string, whisper bool) string {
	v, rank, _ := findVoice(name)
	l := espeakLanguage(language)
	if l == "" {
		l = "en-us"
	}
	variants, whispered := femaleVariants, "whisperf"
	if v.gender == male {
		variants, whispered = maleVariants, "whisper"
	}
	if whisper {
		return l + "+" + whispered
	}
	return l + "+" + variants[rank%len(variants)]
}

// fliteVoice is the voice of flite, which speaks English alone, for one of
// Amazon Polly's.
func fliteVoice(name, language string) string {
	v, _, _ := findVoice(name)
	american := slices.Contains([]string{"en", "en-us", "en-ca"}, strings.ToLower(language))
	switch {
	case v.gender == female:
		return "slt"
	case american:
		return "rms"
	default:
		return "awb" // from Scotland
	}
}
