package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

func TestAttachmentScope(t *testing.T) {
	const instance = "0195f8a0-0000-7000-8000-000000000001"
	for arn, want := range map[string]types.AttachmentScope{
		"arn:aws:connect:eu-west-2:123456789012:instance/" + instance + "/contact/c":   types.AttachmentScopeEmail,
		"arn:aws:cases:eu-west-2:123456789012:domain/d/case/c":                         types.AttachmentScopeCase,
		"arn:aws:connect:eu-west-1:123456789012:instance/" + instance + "/contact/c":   "",
		"arn:aws:connect:eu-west-2:999999999999:instance/" + instance + "/contact/c":   "",
		"arn:aws:connect:eu-west-2:123456789012:instance/another/contact/c":            "",
		"arn:aws:connect:eu-west-2:123456789012:instance/" + instance + "/contact/c:1": "",
		"arn:aws:connect:eu-west-2:123456789012:instance/" + instance + "/agent/c":     "",
		"arn:aws:connect:eu-west-2:123456789012:instance/" + instance:                  "",
		"arn:aws:cases:eu-west-2:123456789012:domain/d":                                "",
		"arn:aws:cases:eu-west-2:123456789012:domain/d/case/":                          "",
		"arn:aws:cases:eu-west-2:123456789012:domain//case/c":                          "",
		"arn:aws:cases:eu-west-2:123456789012:domain/d/case/c/related-item/r":          "",
		"arn:aws:cases:eu-west-2:123456789012:domain/d/template/c":                     "",
		"arn:aws:cases:eu-west-2::domain/d/case/c":                                     "",
		"arn:aws:s3:::bucket": "",
		"c":                   "",
		"":                    "",
	} {
		got, err := domain.AttachmentScope(arn, "eu-west-2", "123456789012", instance)
		if got != want || (err == nil) != (want != "") || err != nil && !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %q, %v, want %q", arn, got, err, want)
		}
	}
}

func TestAdmit(t *testing.T) {
	none, some, small := []string{}, []string{"PDF", "tar"}, int64(10)
	const name, kind, size = "INVALID_FILE_NAME", "INVALID_FILE_TYPE", "INVALID_FILE_SIZE"
	for _, c := range []struct {
		of   domain.AttachedFilesConfiguration
		name string
		size int64
		want string
	}{
		{domain.AttachedFilesConfiguration{}, "a.pdf", 20 << 20, ""},
		{domain.AttachedFilesConfiguration{}, "a.b.PDF", 1, ""},
		{domain.AttachedFilesConfiguration{}, "a.pdf", 20<<20 + 1, size},
		{domain.AttachedFilesConfiguration{}, "a.exe", 1, kind},
		{domain.AttachedFilesConfiguration{}, "pdf", 1, kind},
		{domain.AttachedFilesConfiguration{}, "a.pdf.", 1, kind},
		{domain.AttachedFilesConfiguration{}, "../a.pdf", 1, name},
		{domain.AttachedFilesConfiguration{}, `C:\a.pdf`, 1, name},
		{domain.AttachedFilesConfiguration{MaximumBytes: &small}, "a.pdf", 10, ""},
		{domain.AttachedFilesConfiguration{MaximumBytes: &small}, "a.pdf", 11, size},
		{domain.AttachedFilesConfiguration{Extensions: &some}, "a.pdf", 1, ""},
		{domain.AttachedFilesConfiguration{Extensions: &some}, "a.TAR", 1, ""},
		{domain.AttachedFilesConfiguration{Extensions: &some}, "a.png", 1, kind},
		{domain.AttachedFilesConfiguration{Extensions: &none}, "a.pdf", 1, kind},
		{domain.AttachedFilesConfiguration{Extensions: &none}, "a", 1, kind},
	} {
		err := c.of.Admit(c.name, c.size)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s of %d bytes: %v", c.name, c.size, err)
			}
			continue
		}
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Code != fault.InvalidRequest {
			t.Errorf("%s of %d bytes: %v, want %s", c.name, c.size, err, c.want)
			continue
		}
		reason, _ := e.Members["Reason"].(map[string]any)
		if got := reason["AttachedFileInvalidRequestExceptionReason"]; got != types.AttachedFileInvalidRequestExceptionReason(c.want) {
			t.Errorf("%s of %d bytes: the reason is %v, want %s", c.name, c.size, got, c.want)
		}
	}
}

func TestAttachedFileStatus(t *testing.T) {
	end := time.Unix(1_700_000_000, 0)
	for status, want := range map[types.FileStatusType][2]types.FileStatusType{
		types.FileStatusTypeProcessing: {types.FileStatusTypeProcessing, types.FileStatusTypeFailed},
		types.FileStatusTypeApproved:   {types.FileStatusTypeApproved, types.FileStatusTypeApproved},
		types.FileStatusTypeRejected:   {types.FileStatusTypeRejected, types.FileStatusTypeRejected},
	} {
		f := domain.AttachedFile{Status: status, UploadEnds: end}
		if got := [2]types.FileStatusType{f.StatusAt(end.Add(-1)), f.StatusAt(end)}; got != want {
			t.Errorf("%s is %v, want %v", status, got, want)
		}
	}
}

func TestAttachmentKey(t *testing.T) {
	for name, want := range map[string]string{"Terms.PDF": "attached-files/id.pdf", "a.tar.gz": "attached-files/id.gz", "readme": "attached-files/id"} {
		if got := (&domain.AttachedFile{Name: name}).ObjectKey("id"); got != want {
			t.Errorf("%s is kept as %s, want %s", name, got, want)
		}
	}
}
