package catalog_test

import (
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

func TestQualifiedID(t *testing.T) {
	sc := catalog.Scope{ID: "i", Region: "us-east-1", Account: "123456789012"}
	for _, c := range []struct {
		given, id, qualifier string
		code                 fault.Code
	}{
		{given: "v", id: "v"},
		{given: "v:$SAVED", id: "v", qualifier: "$SAVED"},
		{given: sc.ARN(domain.KindView, "v"), id: "v"},
		{given: sc.ARN(domain.KindView, "v") + ":7", id: "v", qualifier: "7"},
		{given: sc.ARN(domain.KindQueue, "v"), code: fault.ResourceNotFound},
		{given: "arn:aws:s3:::bucket", code: fault.InvalidParameter},
	} {
		id, qualifier, err := catalog.QualifiedID(sc, domain.KindView, c.given)
		if id != c.id || qualifier != c.qualifier || (err == nil) != (c.code == "") || (err != nil && !fault.Is(err, c.code)) {
			t.Errorf("%s is %q, %q, %v", c.given, id, qualifier, err)
		}
	}
}
