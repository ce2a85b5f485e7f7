package conformance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audio"
)

func init() {
	add(family{
		makers: map[kind]maker{prompt: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreatePrompt(ctx, &connect.CreatePromptInput{InstanceId: &w.instance, Name: w.name(), S3Uri: aws.String(promptURI(t, w).(string))})
			if err != nil {
				return nil, err
			}
			return out.PromptId, nil
		}},
		recipes: map[string]recipe{
			"CreatePrompt": of(with("S3Uri", promptURI)),
			"UpdatePrompt": of(given("S3Uri", promptURI)),

			// An instance has one configuration for each type of resource.
			"AssociateInstanceStorageConfig":    of(with("InstanceId", func(t testing.TB, w *world) any { return w.newInstance(t) }), storageConfig),
			"DescribeInstanceStorageConfig":     of(storageAssociation),
			"UpdateInstanceStorageConfig":       of(storageAssociation, storageConfig),
			"DisassociateInstanceStorageConfig": of(storageAssociation),
			"ListInstanceStorageConfigs":        of(storageAssociation, without("AssociationId")),
		},
		examples: map[string]example{"FileExtension": {"pdf", "p.f"}},
		noARN:    []string{"AssociationId"},
	})
	merge(pagedOperations, map[string]paged{
		"ListPrompts":   {prompt, "Id", "DeletePrompt", "PromptId"},
		"SearchPrompts": {prompt, "PromptId", "DeletePrompt", "PromptId"},
	})
	merge(fewOperations, map[string]string{
		"ListInstanceStorageConfigs":      "one for each type of resource",
		"ListAttachedFilesConfigurations": "there are four",
	})
}

// promptURI leads to a recording that can be a prompt.
func promptURI(t testing.TB, w *world) any {
	t.Helper()
	const bucket, key = "conformance", "prompt.wav"
	dir := filepath.Join(w.server.Data, "objects", bucket)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := audio.Play([]audio.Note{{Tones: []float64{440}, Length: 100 * time.Millisecond}})
	if err := os.WriteFile(filepath.Join(dir, key), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("s3://%s/%s", bucket, key)
}

// storageConfig has the one part that the storage type asks for.
func storageConfig(_ testing.TB, _ *world, in object, how style) {
	bucket := object{"BucketName": "a-bucket", "BucketPrefix": "connect/transcripts"}
	if how == full {
		bucket["EncryptionConfig"] = object{"EncryptionType": "KMS", "KeyId": "arn:aws:kms:us-east-1:123456789012:key/a"}
	}
	in["ResourceType"] = "CHAT_TRANSCRIPTS"
	in["StorageConfig"] = object{"StorageType": "S3", "S3Config": bucket}
}

// storageAssociation names the storage configuration of a new instance.
func storageAssociation(t testing.TB, w *world, in object, _ style) {
	t.Helper()
	instance := w.newInstance(t)
	out, err := w.server.Connect.AssociateInstanceStorageConfig(context.Background(), &connect.AssociateInstanceStorageConfigInput{
		InstanceId: &instance, ResourceType: types.InstanceStorageResourceTypeChatTranscripts,
		StorageConfig: &types.InstanceStorageConfig{
			StorageType: types.StorageTypeS3, S3Config: &types.S3Config{BucketName: aws.String("a-bucket"), BucketPrefix: aws.String("connect")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	in["InstanceId"], in["ResourceType"], in["AssociationId"] = instance, "CHAT_TRANSCRIPTS", *out.AssociationId
}
