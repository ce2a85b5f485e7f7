package domain

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// AttachedFileID is the lower-case UUID of an attached file.
type AttachedFileID string

// AttachedFile is a file that belongs to a contact or a case. Its content is an
// object of the instance's own, under ObjectKey.
type AttachedFile struct {
	Name    string // with its extension, in the case that it was given in
	Size    int64  // in bytes
	UseCase types.FileUseCaseType
	// AssociatedARN is the contact or the case.
	AssociatedARN string
	CreatedBy     FileCreator
	// Status is PROCESSING until the upload has been completed: read StatusAt.
	Status types.FileStatusType
	// UploadEnds is until when that can be done.
	UploadEnds time.Time
}

// FileCreator is who has made a file: a user or a principal of IAM. One of them
// is empty.
type FileCreator struct {
	UserARN     string `json:",omitempty"`
	IdentityARN string `json:",omitempty"`
}

// StatusAt is the status at a moment. An upload that was never completed has
// failed.
func (f *AttachedFile) StatusAt(now time.Time) types.FileStatusType {
	if f.Status == types.FileStatusTypeProcessing && !now.Before(f.UploadEnds) {
		return types.FileStatusTypeFailed
	}
	return f.Status
}

// ObjectKey is the key of the content in the own bucket of the instance.
func (f *AttachedFile) ObjectKey(id AttachedFileID) string { return AttachmentKey(string(id), f.Name) }

// AttachmentKey is the key of what a client has attached: its id, and of its
// name the extension, which tells the type of the content.
func AttachmentKey(id, fileName string) string {
	return "attached-files/" + id + strings.ToLower(path.Ext(fileName))
}

// Check holds what can be said of a file without knowing its instance.
func (f *AttachedFile) Check() error {
	if f.CreatedBy.IdentityARN != "" {
		return checkForeignARN("CreatedBy.AWSIdentityArn", f.CreatedBy.IdentityARN, "", "")
	}
	return nil
}

// AttachmentScope is the scope of what is attached to a resource: a contact of
// the instance, or a case. Whether the resource exists is not known here. The
// API attaches files to cases and to contacts of the channel EMAIL alone (AWS
// API reference, StartAttachedFileUpload).
func AttachmentScope(arn, region, account string, instance InstanceID) (types.AttachmentScope, error) {
	if a, err := ParseARN(arn); err == nil && a.Kind == KindContact && a.Qualifier == "" &&
		a.Region == region && a.Account == account && a.Instance == instance {
		return types.AttachmentScopeEmail, nil
	}
	if checkForeignARN("AssociatedResourceArn", arn, "cases", "domain/") == nil {
		parts := strings.Split(arn[strings.LastIndexByte(arn, ':')+1:], "/")
		if len(parts) == 4 && parts[1] != "" && parts[2] == "case" && parts[3] != "" {
			return types.AttachmentScopeCase, nil
		}
	}
	return "", fault.New(fault.InvalidRequest, "AssociatedResourceArn must be the ARN of a contact of the instance, arn:aws:connect:%s:%s:instance/%s/contact/CONTACT, or that of a case, arn:aws:cases:REGION:ACCOUNT:domain/DOMAIN/case/CASE", region, account, instance)
}

// Admit refuses a file that an instance does not let attach: the
// InvalidRequestException tells the reason in its member too.
func (c *AttachedFilesConfiguration) Admit(fileName string, size int64) error {
	switch most, extension := c.EffectiveMaximumBytes(), strings.TrimPrefix(path.Ext(fileName), "."); {
	case strings.ContainsAny(fileName, `/\`):
		return attachmentFault(types.AttachedFileInvalidRequestExceptionReasonInvalidFileName, "FileName must not contain / or \\")
	case !slices.ContainsFunc(c.EffectiveExtensions(), func(e string) bool { return strings.EqualFold(e, extension) }):
		return attachmentFault(types.AttachedFileInvalidRequestExceptionReasonInvalidFileType,
			"FileName must end in an extension that the instance allows for the scope %s: %s", c.Scope, strings.Join(c.EffectiveExtensions(), ", "))
	case size > most:
		return attachmentFault(types.AttachedFileInvalidRequestExceptionReasonInvalidFileSize,
			"FileSizeInBytes must be at most %d, what the instance allows for the scope %s; it is %d", most, c.Scope, size)
	}
	return nil
}

func attachmentFault(reason types.AttachedFileInvalidRequestExceptionReason, format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...).
		With("Reason", map[string]any{"AttachedFileInvalidRequestExceptionReason": reason})
}
