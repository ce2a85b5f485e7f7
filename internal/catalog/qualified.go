package catalog

import (
	"strings"

	"ringdown/internal/domain"
)

// QualifiedID is ID for a kind whose ids and ARNs may carry a version or an
// alias after a colon: the qualifier, "" when there is none.
func QualifiedID(sc Scope, kind domain.Kind, idOrARN string) (id, qualifier string, err error) {
	if !domain.IsARN(idOrARN) {
		id, qualifier, _ = strings.Cut(idOrARN, ":")
		return id, qualifier, nil
	}
	if id, err = ID(sc, kind, idOrARN); err != nil {
		return "", "", err
	}
	arn, err := domain.ParseARN(idOrARN)
	return id, arn.Qualifier, err
}
