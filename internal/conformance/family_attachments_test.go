package conformance

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const attachedFile kind = "AttachedFile"

// aCase is what files are attached to.
const aCase = "arn:aws:cases:us-east-1:123456789012:domain/5a5f5d9e-0c3f-4a1d-8e0f-000000000001/case/5a5f5d9e-0c3f-4a1d-8e0f-000000000002"

func init() {
	add(family{
		makers: map[kind]maker{
			attachedFile: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.StartAttachedFileUpload(ctx, &connect.StartAttachedFileUploadInput{
					InstanceId: &w.instance, AssociatedResourceArn: aws.String(aCase), FileName: aws.String("terms.pdf"),
					FileSizeInBytes: aws.Int64(5), FileUseCaseType: types.FileUseCaseTypeAttachment,
				})
				if err != nil {
					return nil, err
				}
				upload(ctx, t, w, out.UploadUrlMetadata)
				return out.FileId, nil
			},
		},
		references: map[string]kind{"FileId": attachedFile, "FileIds": attachedFile},
		literals:   map[string]any{"AssociatedResourceArn": aCase, "FileUseCaseType": "ATTACHMENT"},
		examples:   map[string]example{"FileName": {"terms.pdf", "a\x01.pdf"}},
		recipes: map[string]recipe{
			"StartAttachedFileUpload": of(with("FileName", always("terms.pdf")), given("CreatedBy", func(t testing.TB, w *world) any {
				return object{"ConnectUserArn": w.arn("agent", w.shared(t, user))}
			})),
			"CompleteAttachedFileUpload": of(with("FileId", func(t testing.TB, w *world) any { return w.fresh(t, attachedFile) })),
		},
	})
}

// upload puts "terms" where a file is to be uploaded to.
func upload(ctx context.Context, t testing.TB, w *world, to *types.UploadUrlMetadata) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, *to.Url, strings.NewReader("terms"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range to.HeadersToInclude {
		r.Header.Set(name, value)
	}
	resp, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(fmt.Errorf("upload: %s, %w", resp.Status, err))
	}
}
