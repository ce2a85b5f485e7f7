package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const unknownID = "00000000-0000-4000-8000-000000000000"

// What each type of storage needs.
var (
	key = &types.EncryptionConfig{EncryptionType: types.EncryptionTypeKms, KeyId: aws.String("arn:aws:kms:us-east-1:123456789012:key/a")}

	bucket = types.InstanceStorageConfig{StorageType: types.StorageTypeS3, S3Config: &types.S3Config{
		BucketName: aws.String("a-bucket"), BucketPrefix: aws.String("connect/x"), EncryptionConfig: key,
	}}
	stream = types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisStream, KinesisStreamConfig: &types.KinesisStreamConfig{
		StreamArn: aws.String("arn:aws:kinesis:us-east-1:123456789012:stream/a"),
	}}
	firehose = types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisFirehose, KinesisFirehoseConfig: &types.KinesisFirehoseConfig{
		FirehoseArn: aws.String("arn:aws:firehose:us-east-1:123456789012:deliverystream/a"),
	}}
	video = types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisVideoStream, KinesisVideoStreamConfig: &types.KinesisVideoStreamConfig{
		Prefix: aws.String("media"), RetentionPeriodHours: 24, EncryptionConfig: key,
	}}
)

// storageOf is what every type of resource can be put into.
var storageOf = map[types.InstanceStorageResourceType][]types.InstanceStorageConfig{
	types.InstanceStorageResourceTypeChatTranscripts:                      {bucket},
	types.InstanceStorageResourceTypeCallRecordings:                       {bucket},
	types.InstanceStorageResourceTypeScheduledReports:                     {bucket},
	types.InstanceStorageResourceTypeAttachments:                          {bucket},
	types.InstanceStorageResourceTypeContactEvaluations:                   {bucket},
	types.InstanceStorageResourceTypeScreenRecordings:                     {bucket},
	types.InstanceStorageResourceTypeEmailMessages:                        {bucket},
	types.InstanceStorageResourceTypeMediaStreams:                         {video},
	types.InstanceStorageResourceTypeContactTraceRecords:                  {stream, firehose},
	types.InstanceStorageResourceTypeAgentEvents:                          {stream},
	types.InstanceStorageResourceTypeRealTimeContactAnalysisSegments:      {stream},
	types.InstanceStorageResourceTypeRealTimeContactAnalysisChatSegments:  {stream},
	types.InstanceStorageResourceTypeRealTimeContactAnalysisVoiceSegments: {stream},
}

// shown is a configuration as Describe and List show it.
func shown(t testing.TB, s *servertest.Server, instance, id string, c types.InstanceStorageConfig) types.InstanceStorageConfig {
	t.Helper()
	c.AssociationId = &id
	if c.KinesisVideoStreamConfig != nil {
		out, err := s.Connect.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &instance})
		ok(t, err)
		v := *c.KinesisVideoStreamConfig
		v.Prefix = aws.String(*v.Prefix + "-connect-" + *out.Instance.InstanceAlias + "-contact-")
		c.KinesisVideoStreamConfig = &v
	}
	return c
}

// TestStorageConfigs goes through the life of a configuration for every type of
// resource.
func TestStorageConfigs(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	if got, want := len(storageOf), len(types.InstanceStorageResourceType("").Values()); got != want {
		t.Fatalf("%d types of resource are tested, there are %d", got, want)
	}
	for of, configs := range storageOf {
		t.Run(string(of), func(t *testing.T) {
			ctx, c := t.Context(), s.Connect
			list := func(want ...types.InstanceStorageConfig) {
				t.Helper()
				out, err := c.ListInstanceStorageConfigs(ctx, &connect.ListInstanceStorageConfigsInput{InstanceId: &instance, ResourceType: of})
				ok(t, err)
				same(t, "list", out.StorageConfigs, append([]types.InstanceStorageConfig{}, want...))
				if out.NextToken != nil {
					t.Errorf("a next page is promised: %s", *out.NextToken)
				}
			}
			list()
			first, last := configs[0], configs[len(configs)-1]
			made, err := c.AssociateInstanceStorageConfig(ctx, &connect.AssociateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, StorageConfig: &first})
			ok(t, err)
			id := made.AssociationId
			list(shown(t, s, instance, *id, first))
			_, err = c.AssociateInstanceStorageConfig(ctx, &connect.AssociateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, StorageConfig: &last})
			fails(t, err, fault.ResourceConflict, string(of))

			_, err = c.UpdateInstanceStorageConfig(ctx, &connect.UpdateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, AssociationId: id, StorageConfig: &last})
			ok(t, err)
			out, err := c.DescribeInstanceStorageConfig(ctx, &connect.DescribeInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, AssociationId: id})
			ok(t, err)
			same(t, "configuration", out.StorageConfig, shown(t, s, instance, *id, last))
			// What is shown can be sent back.
			_, err = c.UpdateInstanceStorageConfig(ctx, &connect.UpdateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, AssociationId: id, StorageConfig: out.StorageConfig})
			ok(t, err)
			list(*out.StorageConfig)

			// No type of storage but its own, and no other type of resource.
			for _, other := range []types.InstanceStorageConfig{bucket, stream, firehose, video} {
				if slices.ContainsFunc(configs, func(c types.InstanceStorageConfig) bool { return c.StorageType == other.StorageType }) {
					continue
				}
				_, err := c.UpdateInstanceStorageConfig(ctx, &connect.UpdateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, AssociationId: id, StorageConfig: &other})
				fails(t, err, fault.InvalidRequest, "StorageConfig.StorageType", string(first.StorageType))
			}
			another := types.InstanceStorageResourceTypeAgentEvents
			if of == another {
				another = types.InstanceStorageResourceTypeAttachments
			}
			_, err = c.DescribeInstanceStorageConfig(ctx, &connect.DescribeInstanceStorageConfigInput{InstanceId: &instance, ResourceType: another, AssociationId: id})
			fails(t, err, fault.ResourceNotFound)
			_, err = c.UpdateInstanceStorageConfig(ctx, &connect.UpdateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: another, AssociationId: id, StorageConfig: &last})
			fails(t, err, fault.ResourceNotFound)
			_, err = c.DisassociateInstanceStorageConfig(ctx, &connect.DisassociateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: another, AssociationId: id})
			fails(t, err, fault.ResourceNotFound)

			_, err = c.DisassociateInstanceStorageConfig(ctx, &connect.DisassociateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, AssociationId: id})
			ok(t, err)
			list()
			_, err = c.DisassociateInstanceStorageConfig(ctx, &connect.DisassociateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: of, AssociationId: id})
			fails(t, err, fault.ResourceNotFound)
		})
	}
}

func TestStorageConfigRules(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	both := bucket
	both.KinesisStreamConfig = stream.KinesisStreamConfig
	named := func(name string) types.InstanceStorageConfig {
		return types.InstanceStorageConfig{StorageType: types.StorageTypeS3, S3Config: &types.S3Config{BucketName: &name, BucketPrefix: aws.String("x")}}
	}
	to := func(arn string) types.InstanceStorageConfig {
		return types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisStream, KinesisStreamConfig: &types.KinesisStreamConfig{StreamArn: &arn}}
	}
	into := func(arn string) types.InstanceStorageConfig {
		return types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisFirehose, KinesisFirehoseConfig: &types.KinesisFirehoseConfig{FirehoseArn: &arn}}
	}
	const chats, records = types.InstanceStorageResourceTypeChatTranscripts, types.InstanceStorageResourceTypeContactTraceRecords
	for name, c := range map[string]struct {
		of     types.InstanceStorageResourceType
		config types.InstanceStorageConfig
		code   fault.Code
		word   string
	}{
		"no part":              {chats, types.InstanceStorageConfig{StorageType: types.StorageTypeS3}, fault.InvalidRequest, "S3Config is required"},
		"the wrong part":       {records, types.InstanceStorageConfig{StorageType: types.StorageTypeKinesisStream, KinesisFirehoseConfig: firehose.KinesisFirehoseConfig}, fault.InvalidRequest, "KinesisStreamConfig is required"},
		"two parts":            {chats, both, fault.InvalidRequest, "KinesisStreamConfig must not be given"},
		"no name of a bucket":  {chats, named("A_Bucket"), fault.InvalidParameter, "BucketName"},
		"an ARN as the bucket": {chats, named("arn:aws:s3:::a-bucket"), fault.InvalidParameter, "BucketName"},
		"no ARN":               {records, to("stream/a"), fault.InvalidParameter, "StreamArn"},
		"another service":      {records, to(*firehose.KinesisFirehoseConfig.FirehoseArn), fault.InvalidParameter, "StreamArn"},
		"a stream of no name":  {records, to("arn:aws:kinesis:us-east-1:123456789012:stream/"), fault.InvalidParameter, "StreamArn"},
		"a stream of nowhere":  {records, to("arn:aws:kinesis::123456789012:stream/a"), fault.InvalidParameter, "StreamArn"},
		"a stream for a hose":  {records, into(*stream.KinesisStreamConfig.StreamArn), fault.InvalidParameter, "FirehoseArn"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Connect.AssociateInstanceStorageConfig(t.Context(), &connect.AssociateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: c.of, StorageConfig: &c.config})
			fails(t, err, c.code, c.word)
		})
	}
	// The type of the resource may be there in another instance.
	other := s.NewInstance(t)
	made, err := s.Connect.AssociateInstanceStorageConfig(t.Context(), &connect.AssociateInstanceStorageConfigInput{InstanceId: &other, ResourceType: chats, StorageConfig: &bucket})
	ok(t, err)
	_, err = s.Connect.AssociateInstanceStorageConfig(t.Context(), &connect.AssociateInstanceStorageConfigInput{InstanceId: &instance, ResourceType: chats, StorageConfig: &bucket})
	ok(t, err)
	for _, id := range []*string{made.AssociationId, aws.String(unknownID), aws.String("none")} {
		_, err = s.Connect.DescribeInstanceStorageConfig(t.Context(), &connect.DescribeInstanceStorageConfigInput{InstanceId: &instance, ResourceType: chats, AssociationId: id})
		fails(t, err, fault.ResourceNotFound)
	}
}

// TestStorageConfigToken: the same token is the same association.
func TestStorageConfigToken(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	in := &connect.AssociateInstanceStorageConfigInput{
		InstanceId: &instance, ResourceType: types.InstanceStorageResourceTypeChatTranscripts, StorageConfig: &bucket, ClientToken: aws.String("once"),
	}
	one, err := s.Connect.AssociateInstanceStorageConfig(t.Context(), in)
	ok(t, err)
	two, err := s.Connect.AssociateInstanceStorageConfig(t.Context(), in)
	ok(t, err)
	same(t, "association", two.AssociationId, one.AssociationId)
	in.ClientToken = aws.String("twice")
	_, err = s.Connect.AssociateInstanceStorageConfig(t.Context(), in)
	fails(t, err, fault.ResourceConflict)
}

// TestVideoPrefixWithoutAlias: an instance of a directory may have no alias.
func TestVideoPrefixWithoutAlias(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstanceOf(t, types.DirectoryTypeExistingDirectory)
	_, err := s.Connect.AssociateInstanceStorageConfig(t.Context(), &connect.AssociateInstanceStorageConfigInput{
		InstanceId: &instance, ResourceType: types.InstanceStorageResourceTypeMediaStreams, StorageConfig: &video,
	})
	ok(t, err)
	out, err := s.Connect.ListInstanceStorageConfigs(t.Context(), &connect.ListInstanceStorageConfigsInput{
		InstanceId: &instance, ResourceType: types.InstanceStorageResourceTypeMediaStreams,
	})
	ok(t, err)
	same(t, "prefix", out.StorageConfigs[0].KinesisVideoStreamConfig.Prefix, "media-connect-"+instance+"-contact-")
}

func TestAttachedFilesConfiguration(t *testing.T) {
	s := servertest.Boot(t)
	instance, other := s.NewInstance(t), s.NewInstance(t)
	describe := func(instance string, scope types.AttachmentScope) *types.AttachedFilesConfiguration {
		t.Helper()
		out, err := s.Connect.DescribeAttachedFilesConfiguration(t.Context(), &connect.DescribeAttachedFilesConfigurationInput{InstanceId: &instance, AttachmentScope: scope})
		ok(t, err)
		return out.AttachedFilesConfiguration
	}
	allowed := func(extensions ...string) *types.ExtensionConfiguration {
		list := []types.AllowedExtension{}
		for _, e := range extensions {
			list = append(list, types.AllowedExtension{Extension: &e})
		}
		return &types.ExtensionConfiguration{AllowedExtensions: list}
	}
	standard := allowed(strings.Fields("csv doc docx heic jfif jpeg jpg mov mp4 pdf png ppt pptx rtf txt wav xls xlsx")...)
	scopes := types.AttachmentScope("").Values()
	for _, scope := range scopes {
		same(t, "default", describe(instance, scope), types.AttachedFilesConfiguration{
			InstanceId: &instance, AttachmentScope: scope, MaximumSizeLimitInBytes: aws.Int64(20_971_520), ExtensionConfiguration: standard,
		})
	}

	const chat = types.AttachmentScopeChat
	want := types.AttachedFilesConfiguration{InstanceId: &instance, AttachmentScope: chat, MaximumSizeLimitInBytes: aws.Int64(20_971_520), ExtensionConfiguration: standard}
	for _, in := range []connect.UpdateAttachedFilesConfigurationInput{
		{},
		{MaximumSizeLimitInBytes: aws.Int64(1)},
		{ExtensionConfiguration: allowed("PDF", "x-y_z")},
		{MaximumSizeLimitInBytes: aws.Int64(104_857_600), ExtensionConfiguration: allowed()},
	} {
		in.InstanceId, in.AttachmentScope = &instance, chat
		if in.MaximumSizeLimitInBytes != nil {
			want.MaximumSizeLimitInBytes = in.MaximumSizeLimitInBytes
		}
		if in.ExtensionConfiguration != nil {
			want.ExtensionConfiguration = in.ExtensionConfiguration
		}
		out, err := s.Connect.UpdateAttachedFilesConfiguration(t.Context(), &in)
		ok(t, err)
		if want.LastModifiedTime = out.LastModifiedTime; want.LastModifiedTime == nil {
			t.Error("LastModifiedTime is absent after a change")
		}
		same(t, "answer", types.AttachedFilesConfiguration{
			InstanceId: out.InstanceId, AttachmentScope: out.AttachmentScope, MaximumSizeLimitInBytes: out.MaximumSizeLimitInBytes,
			ExtensionConfiguration: out.ExtensionConfiguration, LastModifiedTime: out.LastModifiedTime,
		}, want)
		same(t, "configuration", describe(instance, chat), want)
	}
	_, err := s.Connect.UpdateAttachedFilesConfiguration(t.Context(), &connect.UpdateAttachedFilesConfigurationInput{
		InstanceId: &instance, AttachmentScope: chat, ExtensionConfiguration: allowed("pdf", "PDF"),
	})
	fails(t, err, fault.InvalidParameter, "AllowedExtensions", "pdf")
	same(t, "configuration after a refusal", describe(instance, chat), want)
	same(t, "configuration elsewhere", describe(other, chat).ExtensionConfiguration, standard)

	for _, size := range []int32{1, 3, 100} {
		got := servertest.Pages(t, func(token *string) ([]types.AttachedFilesConfigurationSummary, *string, error) {
			out, err := s.Connect.ListAttachedFilesConfigurations(t.Context(), &connect.ListAttachedFilesConfigurationsInput{InstanceId: &instance, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.AttachedFilesConfigurations, out.NextToken, nil
		})
		var all []types.AttachedFilesConfigurationSummary
		for _, scope := range scopes {
			c := describe(instance, scope)
			all = append(all, types.AttachedFilesConfigurationSummary{
				InstanceId: c.InstanceId, AttachmentScope: scope, MaximumSizeLimitInBytes: c.MaximumSizeLimitInBytes, ExtensionConfiguration: c.ExtensionConfiguration,
			})
		}
		same(t, "list", got, servertest.InPages(all, int(size)))
	}
	_, err = s.Connect.ListAttachedFilesConfigurations(t.Context(), &connect.ListAttachedFilesConfigurationsInput{InstanceId: &instance, NextToken: aws.String("no token")})
	fails(t, err, fault.InvalidParameter, "NextToken")
}
