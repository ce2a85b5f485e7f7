package participants

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/chat"
	"ringdown/internal/contact"
	"ringdown/internal/contact/record"
	"ringdown/internal/contract/connectparticipant"
	"ringdown/internal/contract/connectparticipant/types"
	"ringdown/internal/domain"
	"ringdown/internal/objects"
)

const (
	// uploadTime is how long an attachment can be uploaded. AWS publishes no number
	// (docs/divergences.md).
	uploadTime = 15 * time.Minute
	// downloadTime is how long a link to one is good by default (Participant Service
	// API reference, GetAttachment).
	downloadTime = 300 * time.Second
)

// aliases are other names of content types that browsers use.
var aliases = map[string][]string{
	"audio/wav":       {"audio/x-wav", "audio/vnd.wave"},
	"text/csv":        {"application/csv", "application/vnd.ms-excel"},
	"application/rtf": {"text/rtf"},
	"image/heic":      {"image/heif"},
}

func object(who caller, f *contact.ChatFile) objects.URI {
	return objects.Own(string(who.Instance.ID), domain.AttachmentKey(f.ID, f.Name))
}

// StartAttachmentUpload tells where a file is to be put that is to be sent in the
// chat.
func (p *Participants) StartAttachmentUpload(ctx context.Context, in *connectparticipant.StartAttachmentUploadInput) (*connectparticipant.StartAttachmentUploadOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	limits, err := p.Limits.AttachedFilesConfiguration(ctx, p.catalog.Store(), who.scope, sdk.AttachmentScopeChat)
	if err != nil {
		return nil, err
	}
	if err := limits.Admit(*in.AttachmentName, in.AttachmentSizeInBytes); err != nil {
		return nil, refused(err)
	}
	now := p.catalog.Now().UTC()
	f := contact.ChatFile{
		ChatAttachment: domain.ChatAttachment{Name: *in.AttachmentName, ContentType: strings.ToLower(*in.ContentType), Size: in.AttachmentSizeInBytes},
		Ends:           now.Add(uploadTime).Truncate(time.Millisecond),
	}
	if of := object(who, &f).ContentType(); of != f.ContentType && !slices.Contains(aliases[of], f.ContentType) {
		return nil, invalid("ContentType of a file that ends in %s must be %s", path.Ext(f.Name), of)
	}
	if f, err = p.Engine.Upload(ctx, who.Participant, f, aws.ToString(in.ClientToken)); err != nil {
		return nil, refused(err)
	}
	link, err := p.Objects.PresignPut(ctx, object(who, &f), objects.Upload{Size: f.Size, Validity: f.Ends.Sub(now)})
	if err != nil {
		return nil, err
	}
	return &connectparticipant.StartAttachmentUploadOutput{
		AttachmentId:   &f.ID,
		UploadMetadata: &types.UploadMetadata{Url: &link.URL, UrlExpiry: aws.String(record.Millis(f.Ends)), HeadersToInclude: link.Headers},
	}, nil
}

// CompleteAttachmentUpload sends a file that has been uploaded.
func (p *Participants) CompleteAttachmentUpload(ctx context.Context, in *connectparticipant.CompleteAttachmentUploadInput) (*connectparticipant.CompleteAttachmentUploadOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	v, err := p.Engine.Chat(ctx, who.Participant)
	if err != nil {
		return nil, err
	}
	f := v.File(in.AttachmentIds[0])
	if f == nil || f.By != who.ID {
		return nil, invalid("AttachmentIds: the participant is uploading no attachment %s", in.AttachmentIds[0])
	}
	info, err := p.Objects.Stat(ctx, object(who, f))
	switch {
	case errors.Is(err, objects.ErrNotFound):
		return nil, invalid("Nothing has been uploaded to the URL of attachment %s yet.", f.ID)
	case err != nil:
		return nil, err
	case info.Size != f.Size: // the link takes no other, but somebody may have put it there
		return nil, invalid("What was uploaded has %d bytes, not %d.", info.Size, f.Size)
	}
	return nil, refused(p.Engine.Uploaded(ctx, who.Participant, f.ID))
}

// GetAttachment tells where a file that was sent in the chat can be read, after
// its end too.
func (p *Participants) GetAttachment(ctx context.Context, in *connectparticipant.GetAttachmentInput) (*connectparticipant.GetAttachmentOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	v, err := p.Engine.Chat(ctx, who.Participant)
	if err != nil {
		return nil, err
	}
	f, err := v.Sent(ctx, *in.AttachmentId)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, invalid("AttachmentId: there is no attachment %s in the chat", *in.AttachmentId)
	}
	validity := downloadTime
	if in.UrlExpiryInSeconds != nil {
		validity = time.Duration(*in.UrlExpiryInSeconds) * time.Second
	}
	end := p.catalog.Now().Add(validity)
	url, err := p.Objects.Presign(ctx, object(who, f), validity)
	if err != nil {
		return nil, err
	}
	return &connectparticipant.GetAttachmentOutput{Url: &url, UrlExpiry: aws.String(record.Millis(end)), AttachmentSizeInBytes: &f.Size}, nil
}
