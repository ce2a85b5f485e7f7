package domain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// Vocabulary is a table of words that speech recognition would otherwise not
// recognise.
type Vocabulary struct {
	Name         string
	LanguageCode types.VocabularyLanguageCode
	Content      string // a table of columns separated by tabs, as it was given
	// FailureReason says why Content is no such table; empty when it is one.
	FailureReason string `json:",omitempty"`
}

// State is ACTIVE, or CREATION_FAILED when the content is wrong. The states in
// between are over at once.
func (v *Vocabulary) State() types.VocabularyState {
	if v.FailureReason != "" {
		return types.VocabularyStateCreationFailed
	}
	return types.VocabularyStateActive
}

var vocabularyName = regexp.MustCompile(`^[0-9a-zA-Z._-]+$`)

// Check checks the whole name; the pattern of the service model has no end.
func (v *Vocabulary) Check() error {
	if !vocabularyName.MatchString(v.Name) {
		return fault.New(fault.InvalidParameter, "VocabularyName must consist of letters, digits, full stops, hyphens and underscores")
	}
	return nil
}

// The limits of a table (Amazon Transcribe developer guide, "Custom
// vocabularies").
const (
	maxVocabularyBytes = 50 << 10
	maxVocabularyEntry = 256
)

// vocabularyColumns are the columns of a table, in any order.
var vocabularyColumns = []string{"Phrase", "IPA", "SoundsLike", "DisplayAs"}

// VocabularyProblem says what is wrong with a table, and in which line; ""
// when nothing is. The rules are those of the Amazon Transcribe developer
// guide, "Creating a custom vocabulary using a table".
func VocabularyProblem(content string) string {
	if len(content) > maxVocabularyBytes {
		return fmt.Sprintf("The vocabulary must have at most %d bytes, it has %d.", maxVocabularyBytes, len(content))
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(content, "\r\n", "\n"), "\n"), "\n")
	header := strings.Split(lines[0], "\t")
	for _, column := range vocabularyColumns {
		if len(header) != len(vocabularyColumns) || !slices.Contains(header, column) {
			return "The first line must name the columns " + strings.Join(vocabularyColumns, ", ") + ", separated by tabs."
		}
	}
	if len(lines) == 1 {
		return "The vocabulary has no rows."
	}
	phrase := slices.Index(header, "Phrase")
	for i, line := range lines[1:] {
		if problem := vocabularyRow(strings.Split(line, "\t"), phrase); problem != "" {
			return fmt.Sprintf("Line %d: %s", i+2, problem)
		}
	}
	return ""
}

// vocabularyRow says what is wrong with a row whose phrase is in the given
// column. Empty columns at the end may be left out.
func vocabularyRow(row []string, phrase int) string {
	if len(row) > len(vocabularyColumns) {
		return fmt.Sprintf("there are %d columns, more than %d.", len(row), len(vocabularyColumns))
	}
	for _, entry := range row {
		if n := utf8.RuneCountInString(entry); n > maxVocabularyEntry {
			return fmt.Sprintf("an entry has %d characters, more than %d.", n, maxVocabularyEntry)
		}
	}
	switch {
	case phrase >= len(row) || row[phrase] == "":
		return "there is no Phrase."
	case strings.ContainsFunc(row[phrase], unicode.IsSpace):
		return "the Phrase has spaces. Separate its words by hyphens."
	case strings.ContainsFunc(row[phrase], unicode.IsDigit):
		return "the Phrase has digits. Spell numbers out."
	}
	return ""
}

// DefaultVocabulary is the vocabulary that is used for a language.
type DefaultVocabulary struct {
	LanguageCode types.VocabularyLanguageCode
	VocabularyID VocabularyID
}
