package attachments

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/objects"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

const (
	// uploadTime is within which an upload must be completed. No page tells
	// (docs/divergences.md).
	uploadTime = time.Hour
	// defaultExpiry is how long links last (AWS API reference, GetAttachedFile,
	// UrlExpiryInSeconds).
	defaultExpiry = 300 * time.Second
	// mostPerEmail: admin guide, "Amazon Connect feature specifications", file
	// attachments per email. The page tells no number for a case.
	mostPerEmail = 10
)

// associatedField finds the files of a resource; the index has it in small
// letters.
const associatedField = "associatedresourcearn"

type file = catalog.Item[domain.AttachedFile]

// The names of files need not differ.
var attachedFileKind = catalog.Kind[domain.AttachedFile]{
	Of:    domain.KindAttachedFile,
	Name:  func(e *domain.AttachedFile) string { return e.Name },
	Key:   func(*domain.AttachedFile) string { return "" },
	Check: (*domain.AttachedFile).Check,
	Fields: catalog.Fields[domain.AttachedFile]{
		associatedField: catalog.KeyField(func(e *domain.AttachedFile) []string { return []string{e.AssociatedARN} }),
	},
}

// started is what is remembered of a StartAttachedFileUpload. The link is not:
// a request that is sent again gets one that lasts.
type started struct{ ID string }

// StartAttachedFileUpload makes a file whose content is yet to be uploaded, and
// tells where to. FileUseCaseType must be ATTACHMENT, the only one that the API
// reference says is supported.
func (a *Attachments) StartAttachedFileUpload(ctx context.Context, in *connect.StartAttachedFileUploadInput) (*connect.StartAttachedFileUploadOutput, error) {
	sc, err := a.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	scope, err := attachmentScope(sc, in.AssociatedResourceArn)
	if err != nil {
		return nil, err
	}
	if in.FileUseCaseType != types.FileUseCaseTypeAttachment {
		return nil, fault.New(fault.InvalidRequest, "FileUseCaseType must be %s, the only one that can be uploaded", types.FileUseCaseTypeAttachment)
	}
	made, err := catalog.Once(ctx, a.catalog, sc, "StartAttachedFileUpload", in.ClientToken, in, func(tx store.Tx) (*started, error) {
		if err := a.admit(ctx, tx, sc, scope, in); err != nil {
			return nil, err
		}
		by, err := creator(ctx, tx, sc, in.CreatedBy)
		if err != nil {
			return nil, err
		}
		i, err := a.files.Insert(ctx, tx, sc, &domain.AttachedFile{
			Name: *in.FileName, Size: *in.FileSizeInBytes, UseCase: in.FileUseCaseType, AssociatedARN: *in.AssociatedResourceArn,
			CreatedBy: by, Status: types.FileStatusTypeProcessing, UploadEnds: a.catalog.Now().Add(uploadTime),
		}, in.Tags)
		if err != nil {
			return nil, err
		}
		return &started{i.ID}, nil
	})
	if err != nil {
		return nil, err
	}
	i, err := a.files.Get(ctx, sc, made.ID)
	if err != nil {
		return nil, err
	}
	out := &connect.StartAttachedFileUploadOutput{
		FileArn: i.ARN(sc), FileId: &i.ID, FileStatus: a.status(i), CreationTime: timestamp(i.Created), CreatedBy: createdBy(i),
	}
	if out.FileStatus == types.FileStatusTypeProcessing {
		out.UploadUrlMetadata, err = a.uploadURL(ctx, sc, i, expiry(in.UrlExpiryInSeconds))
	}
	return out, err
}

// admit refuses what the instance does not let attach.
func (a *Attachments) admit(ctx context.Context, tx store.Tx, sc catalog.Scope, scope types.AttachmentScope, in *connect.StartAttachedFileUploadInput) error {
	limits, err := a.limits.AttachedFilesConfiguration(ctx, tx, sc, scope)
	if err != nil {
		return err
	}
	if err := limits.Admit(*in.FileName, *in.FileSizeInBytes); err != nil {
		return err
	}
	if !a.catalog.Quotas() || scope != types.AttachmentScopeEmail {
		return nil
	}
	_, _, n, err := a.files.SearchIn(ctx, tx, sc, search.Key{Field: associatedField, Values: []string{*in.AssociatedResourceArn}}, catalog.Page{MaxResults: aws.Int32(1)})
	if err == nil && *n >= mostPerEmail {
		return fault.New(fault.ServiceQuotaExceeded, "A contact may have %d attached files.", mostPerEmail).With("Reason", map[string]any{
			"AttachedFileServiceQuotaExceededExceptionReason": types.AttachedFileServiceQuotaExceededExceptionReasonTotalFileCountExceeded,
		})
	}
	return err
}

// CompleteAttachedFileUpload approves a file whose content has been uploaded.
// Doing so again changes nothing.
func (a *Attachments) CompleteAttachedFileUpload(ctx context.Context, in *connect.CompleteAttachedFileUploadInput) (*connect.CompleteAttachedFileUploadOutput, error) {
	sc, i, err := a.attached(ctx, in.InstanceId, in.FileId, in.AssociatedResourceArn)
	if err != nil {
		return nil, err
	}
	if s := a.status(i); s == types.FileStatusTypeApproved {
		return nil, nil
	} else if s == types.FileStatusTypeFailed {
		return nil, fault.New(fault.InvalidRequest, "The upload of the file was not completed within %s; start another one.", uploadTime)
	}
	info, err := a.objects.Stat(ctx, object(sc, i))
	switch {
	case errors.Is(err, objects.ErrNotFound):
		return nil, fault.New(fault.InvalidRequest, "Nothing has been uploaded to the URL of the file yet.")
	case err != nil:
		return nil, err
	case info.Size != i.Value.Size: // the link takes no other, but somebody may have put it there
		return nil, fault.New(fault.InvalidRequest, "What was uploaded has %d bytes, not %d.", info.Size, i.Value.Size)
	}
	return nil, a.files.Update(ctx, sc, i.ID, func(_ store.Tx, e *domain.AttachedFile) error {
		e.Status = types.FileStatusTypeApproved
		return nil
	})
}

// GetAttachedFile returns a file, and where its content can be read if it is
// APPROVED.
func (a *Attachments) GetAttachedFile(ctx context.Context, in *connect.GetAttachedFileInput) (*connect.GetAttachedFileOutput, error) {
	sc, i, err := a.attached(ctx, in.InstanceId, in.FileId, in.AssociatedResourceArn)
	if err != nil {
		return nil, err
	}
	m := a.metadata(sc, i)
	out := &connect.GetAttachedFileOutput{
		FileArn: m.FileArn, FileId: m.FileId, FileName: m.FileName, FileSizeInBytes: m.FileSizeInBytes, FileStatus: m.FileStatus,
		FileUseCaseType: m.FileUseCaseType, AssociatedResourceArn: m.AssociatedResourceArn,
		CreatedBy: m.CreatedBy, CreationTime: m.CreationTime, Tags: m.Tags,
	}
	if m.FileStatus == types.FileStatusTypeApproved {
		out.DownloadUrlMetadata, err = a.downloadURL(ctx, sc, i, expiry(in.UrlExpiryInSeconds))
	}
	return out, err
}

// BatchGetAttachedFileMetadata returns files of one resource, in the order of
// their ids, and an error for each id that is not one of them.
func (a *Attachments) BatchGetAttachedFileMetadata(ctx context.Context, in *connect.BatchGetAttachedFileMetadataInput) (*connect.BatchGetAttachedFileMetadataOutput, error) {
	sc, err := a.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if _, err := attachmentScope(sc, in.AssociatedResourceArn); err != nil {
		return nil, err
	}
	out := &connect.BatchGetAttachedFileMetadataOutput{Files: []types.AttachedFile{}, Errors: []types.AttachedFileError{}}
	err = a.catalog.Store().View(ctx, func(rd store.Reader) error {
		for _, id := range in.FileIds {
			i, err := a.files.GetIn(ctx, rd, sc, id)
			if err == nil {
				err = isAttached(i, *in.AssociatedResourceArn)
			}
			switch e, ok := errors.AsType[*fault.Error](err); {
			case err == nil:
				out.Files = append(out.Files, a.metadata(sc, i))
			case ok:
				out.Errors = append(out.Errors, types.AttachedFileError{
					FileId: aws.String(id), ErrorCode: aws.String(string(e.Code)), ErrorMessage: aws.String(e.Message),
				})
			default:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteAttachedFile removes a file with its content.
func (a *Attachments) DeleteAttachedFile(ctx context.Context, in *connect.DeleteAttachedFileInput) (*connect.DeleteAttachedFileOutput, error) {
	sc, i, err := a.attached(ctx, in.InstanceId, in.FileId, in.AssociatedResourceArn)
	if err != nil {
		return nil, err
	}
	if err := a.files.Delete(ctx, sc, i.ID, nil); err != nil {
		return nil, err
	}
	// The request is done, so that the content cannot be removed is the
	// operator's concern alone, and a client that has gone no reason to leave it.
	if err := a.objects.Delete(context.WithoutCancel(ctx), object(sc, i)); err != nil {
		a.catalog.Logger().Warn("the content of an attached file is left over", slog.String("object", object(sc, i).String()), slog.Any("err", err))
	}
	return nil, nil
}

// attached finds a file that is attached to a resource.
func (a *Attachments) attached(ctx context.Context, instance, id, to *string) (catalog.Scope, *file, error) {
	sc, err := a.catalog.Scope(ctx, instance)
	if err != nil {
		return sc, nil, err
	}
	if _, err := attachmentScope(sc, to); err != nil {
		return sc, nil, err
	}
	i, err := a.files.Get(ctx, sc, *id)
	if err == nil {
		err = isAttached(i, *to)
	}
	return sc, i, err
}

// isAttached says of a file of another resource that it is not found.
func isAttached(i *file, to string) error {
	if i.Value.AssociatedARN != to {
		return fault.New(fault.ResourceNotFound, "%s %s not found: it is attached to something else.", domain.KindAttachedFile, i.ID)
	}
	return nil
}

func attachmentScope(sc catalog.Scope, arn *string) (types.AttachmentScope, error) {
	return domain.AttachmentScope(*arn, sc.Region, sc.Account, sc.ID)
}

// creator is who a request says has made a file; without a word, whoever sends
// it.
func creator(ctx context.Context, rd store.Reader, sc catalog.Scope, by types.CreatedByInfo) (domain.FileCreator, error) {
	switch by := by.(type) {
	case *types.CreatedByInfoMemberConnectUserArn:
		if !domain.IsARN(by.Value) {
			return domain.FileCreator{}, fault.New(fault.InvalidRequest, "CreatedBy.ConnectUserArn must be the ARN of a user")
		}
		_, err := catalog.Existing(ctx, rd, sc, domain.KindUser, by.Value)
		return domain.FileCreator{UserARN: by.Value}, err
	case *types.CreatedByInfoMemberAWSIdentityArn:
		if by.Value == "" {
			return domain.FileCreator{}, fault.New(fault.InvalidRequest, "CreatedBy.AWSIdentityArn must not be empty")
		}
		return domain.FileCreator{IdentityARN: by.Value}, nil
	default:
		return domain.FileCreator{IdentityARN: domain.CallerOf(ctx).ARN}, nil
	}
}

func createdBy(i *file) types.CreatedByInfo {
	if by := i.Value.CreatedBy; by.UserARN != "" {
		return &types.CreatedByInfoMemberConnectUserArn{Value: by.UserARN}
	}
	return &types.CreatedByInfoMemberAWSIdentityArn{Value: i.Value.CreatedBy.IdentityARN}
}

func (a *Attachments) status(i *file) types.FileStatusType { return i.Value.StatusAt(a.catalog.Now()) }

func (a *Attachments) metadata(sc catalog.Scope, i *file) types.AttachedFile {
	return types.AttachedFile{
		FileArn: i.ARN(sc), FileId: &i.ID, FileName: &i.Value.Name, FileSizeInBytes: &i.Value.Size, FileStatus: a.status(i),
		FileUseCaseType: i.Value.UseCase, AssociatedResourceArn: &i.Value.AssociatedARN,
		CreatedBy: createdBy(i), CreationTime: timestamp(i.Created), Tags: i.TagMap(),
	}
}

// object is the content of a file.
func object(sc catalog.Scope, i *file) objects.URI {
	return objects.Own(string(sc.ID), i.Value.ObjectKey(domain.AttachedFileID(i.ID)))
}

func (a *Attachments) uploadURL(ctx context.Context, sc catalog.Scope, i *file, validity time.Duration) (*types.UploadUrlMetadata, error) {
	end := a.catalog.Now().Add(validity)
	link, err := a.objects.PresignPut(ctx, object(sc, i), objects.Upload{Size: i.Value.Size, Validity: validity})
	if err != nil {
		return nil, err
	}
	return &types.UploadUrlMetadata{Url: &link.URL, HeadersToInclude: link.Headers, UrlExpiry: timestamp(end)}, nil
}

func (a *Attachments) downloadURL(ctx context.Context, sc catalog.Scope, i *file, validity time.Duration) (*types.DownloadUrlMetadata, error) {
	end := a.catalog.Now().Add(validity)
	link, err := a.objects.Presign(ctx, object(sc, i), validity)
	if err != nil {
		return nil, err
	}
	return &types.DownloadUrlMetadata{Url: &link, UrlExpiry: timestamp(end)}, nil
}

// expiry is how long a link lasts that a request asks for.
func expiry(seconds *int32) time.Duration {
	if seconds == nil {
		return defaultExpiry
	}
	return time.Duration(*seconds) * time.Second
}

// timestamp is a time as the members that are ISO 8601 texts have it.
func timestamp(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000Z")) }
