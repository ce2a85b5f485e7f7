package roundtrip

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audio"
)

func storageKinds() []kind {
	return []kind{prompts(), storageConfigs(), attachedFilesConfigurations()}
}

// promptDocument is a prompt with its audio, which is read by the URL of
// GetPromptFile as a backup would.
type promptDocument struct {
	Prompt *types.Prompt
	Audio  []byte
}

func prompts() kind {
	// put copies audio to where an s3:// URI leads.
	put := func(t testing.TB, s *site, file []byte) (uri *string) {
		dir := filepath.Join(s.server.Data, "objects", "restored")
		ok(t, os.MkdirAll(dir, 0o700))
		ok(t, os.WriteFile(filepath.Join(dir, "prompt.wav"), file, 0o600))
		return aws.String("s3://restored/prompt.wav")
	}
	return of("Prompt",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreatePrompt(t.Context(), &connect.CreatePromptInput{
				InstanceId: &s.id, Name: name("Prompt", n), Description: aws.String("a tone"), Tags: map[string]string{"Team": "prompts"},
				S3Uri: put(t, s, audio.Play([]audio.Note{{Tones: []float64{float64(440 * (n + 1))}, Length: 50 * time.Millisecond}})),
			})
			ok(t, err)
			return *out.PromptId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, p := range page.PromptSummaryList {
					out, err := s.DescribePrompt(t.Context(), &connect.DescribePromptInput{InstanceId: &s.id, PromptId: p.Id})
					ok(t, err)
					file, err := s.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &s.id, PromptId: p.Id})
					ok(t, err)
					all.add(*p.Id, *p.Name, promptDocument{out.Prompt, download(t, *file.PromptPresignedUrl)})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d promptDocument) string {
			p, uri := d.Prompt, put(t, s, d.Audio)
			if id := s.existing("Prompt", *p.Name); id != "" {
				_, err := s.UpdatePrompt(t.Context(), &connect.UpdatePromptInput{InstanceId: &s.id, PromptId: &id, Description: p.Description, S3Uri: uri})
				ok(t, err)
				return id
			}
			out, err := s.CreatePrompt(t.Context(), &connect.CreatePromptInput{InstanceId: &s.id, Name: p.Name, Description: p.Description, S3Uri: uri, Tags: tags(p.Tags)})
			ok(t, err)
			return *out.PromptId
		},
		nil)
}

func download(t testing.TB, url string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	ok(t, err)
	resp, err := http.DefaultClient.Do(r)
	ok(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ok(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %s", url, resp.Status, body)
	}
	return body
}

type storageDocument struct {
	ResourceType types.InstanceStorageResourceType
	Config       types.InstanceStorageConfig
}

// storageConfigs has one configuration of each kind of storage.
func storageConfigs() kind {
	key := &types.EncryptionConfig{EncryptionType: types.EncryptionTypeKms, KeyId: aws.String("arn:aws:kms:us-east-1:123456789012:key/a")}
	first := []storageDocument{
		{types.InstanceStorageResourceTypeCallRecordings, types.InstanceStorageConfig{StorageType: types.StorageTypeS3, S3Config: &types.S3Config{
			BucketName: aws.String("recordings"), BucketPrefix: aws.String("calls"), EncryptionConfig: key,
		}}},
		{types.InstanceStorageResourceTypeMediaStreams, types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisVideoStream, KinesisVideoStreamConfig: &types.KinesisVideoStreamConfig{
			Prefix: aws.String("media"), RetentionPeriodHours: 24, EncryptionConfig: key,
		}}},
		{types.InstanceStorageResourceTypeContactTraceRecords, types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisFirehose, KinesisFirehoseConfig: &types.KinesisFirehoseConfig{
			FirehoseArn: aws.String("arn:aws:firehose:us-east-1:123456789012:deliverystream/records"),
		}}},
		{types.InstanceStorageResourceTypeAgentEvents, types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisStream, KinesisStreamConfig: &types.KinesisStreamConfig{
			StreamArn: aws.String("arn:aws:kinesis:us-east-1:123456789012:stream/events"),
		}}},
	}
	associate := func(t testing.TB, s *site, d storageDocument) string {
		out, err := s.AssociateInstanceStorageConfig(t.Context(), &connect.AssociateInstanceStorageConfigInput{InstanceId: &s.id, ResourceType: d.ResourceType, StorageConfig: &d.Config})
		ok(t, err)
		return *out.AssociationId
	}
	return of("InstanceStorageConfig",
		func(t testing.TB, s *site, n int) string {
			if n == many-1 {
				for _, d := range first[many:] {
					associate(t, s, d)
				}
			}
			return associate(t, s, first[n])
		},
		func(t testing.TB, s *site) (all resources) {
			for _, of := range types.InstanceStorageResourceType("").Values() {
				everyPage(t, func(token *string) (*string, error) {
					page, err := s.ListInstanceStorageConfigs(t.Context(), &connect.ListInstanceStorageConfigsInput{InstanceId: &s.id, ResourceType: of, NextToken: token})
					if err != nil {
						return nil, err
					}
					for _, c := range page.StorageConfigs {
						out, err := s.DescribeInstanceStorageConfig(t.Context(), &connect.DescribeInstanceStorageConfigInput{InstanceId: &s.id, ResourceType: of, AssociationId: c.AssociationId})
						ok(t, err)
						d := storageDocument{of, *out.StorageConfig}
						if v := d.Config.KinesisVideoStreamConfig; v != nil {
							// What the service appends names the instance.
							*v.Prefix, _, _ = strings.Cut(*v.Prefix, "-connect-")
						}
						all.add(*c.AssociationId, string(of), d)
					}
					return page.NextToken, nil
				})
			}
			return all
		},
		func(t testing.TB, s *site, d storageDocument) string { return associate(t, s, d) },
		nil)
}

func attachedFilesConfigurations() kind {
	update := func(t testing.TB, s *site, scope types.AttachmentScope, size *int64, extensions *types.ExtensionConfiguration) string {
		_, err := s.UpdateAttachedFilesConfiguration(t.Context(), &connect.UpdateAttachedFilesConfigurationInput{
			InstanceId: &s.id, AttachmentScope: scope, MaximumSizeLimitInBytes: size, ExtensionConfiguration: extensions,
		})
		ok(t, err)
		return ""
	}
	return of("AttachedFilesConfiguration",
		func(t testing.TB, s *site, n int) string {
			return update(t, s, types.AttachmentScope("").Values()[n], aws.Int64(int64(1000*(n+1))),
				&types.ExtensionConfiguration{AllowedExtensions: []types.AllowedExtension{{Extension: aws.String("pdf")}, {Extension: aws.String("x" + string(rune('a'+n)))}}})
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListAttachedFilesConfigurations(t.Context(), &connect.ListAttachedFilesConfigurationsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, c := range page.AttachedFilesConfigurations {
					out, err := s.DescribeAttachedFilesConfiguration(t.Context(), &connect.DescribeAttachedFilesConfigurationInput{InstanceId: &s.id, AttachmentScope: c.AttachmentScope})
					ok(t, err)
					all.add(string(c.AttachmentScope), string(c.AttachmentScope), out.AttachedFilesConfiguration)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d types.AttachedFilesConfiguration) string {
			return update(t, s, d.AttachmentScope, d.MaximumSizeLimitInBytes, d.ExtensionConfiguration)
		},
		nil)
}
