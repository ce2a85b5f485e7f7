package domain

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// InstanceStorageConfig says where an instance puts one type of what it
// records. Of the four parts it has the one that its StorageType names.
type InstanceStorageConfig struct {
	ResourceType types.InstanceStorageResourceType
	StorageType  types.StorageType

	S3                 *types.S3Config                 `json:",omitempty"`
	KinesisStream      *types.KinesisStreamConfig      `json:",omitempty"`
	KinesisFirehose    *types.KinesisFirehoseConfig    `json:",omitempty"`
	KinesisVideoStream *types.KinesisVideoStreamConfig `json:",omitempty"`
}

var (
	onlyS3      = []types.StorageType{types.StorageTypeS3}
	onlyStreams = []types.StorageType{types.StorageTypeKinesisStream}
)

// storageTypes says what each type of resource can be put into (admin guide,
// "Update settings for your instance", Data storage and Data streaming, and
// "Enable contact analysis segment streams").
var storageTypes = map[types.InstanceStorageResourceType][]types.StorageType{
	types.InstanceStorageResourceTypeChatTranscripts:                      onlyS3,
	types.InstanceStorageResourceTypeCallRecordings:                       onlyS3,
	types.InstanceStorageResourceTypeScheduledReports:                     onlyS3,
	types.InstanceStorageResourceTypeAttachments:                          onlyS3,
	types.InstanceStorageResourceTypeContactEvaluations:                   onlyS3,
	types.InstanceStorageResourceTypeScreenRecordings:                     onlyS3,
	types.InstanceStorageResourceTypeEmailMessages:                        onlyS3,
	types.InstanceStorageResourceTypeMediaStreams:                         {types.StorageTypeKinesisVideoStream},
	types.InstanceStorageResourceTypeContactTraceRecords:                  {types.StorageTypeKinesisStream, types.StorageTypeKinesisFirehose},
	types.InstanceStorageResourceTypeAgentEvents:                          onlyStreams,
	types.InstanceStorageResourceTypeRealTimeContactAnalysisSegments:      onlyStreams,
	types.InstanceStorageResourceTypeRealTimeContactAnalysisChatSegments:  onlyStreams,
	types.InstanceStorageResourceTypeRealTimeContactAnalysisVoiceSegments: onlyStreams,
}

// Check holds the parts to the storage type, and this to the type of resource.
func (c *InstanceStorageConfig) Check() error {
	if legal := storageTypes[c.ResourceType]; !slices.Contains(legal, c.StorageType) {
		names := make([]string, len(legal))
		for i, t := range legal {
			names[i] = string(t)
		}
		return fault.New(fault.InvalidRequest, "StorageConfig.StorageType must be %s for the resource type %s", strings.Join(names, " or "), c.ResourceType)
	}
	for _, part := range []struct {
		of    types.StorageType
		name  string
		given bool
	}{
		{types.StorageTypeS3, "S3Config", c.S3 != nil},
		{types.StorageTypeKinesisStream, "KinesisStreamConfig", c.KinesisStream != nil},
		{types.StorageTypeKinesisFirehose, "KinesisFirehoseConfig", c.KinesisFirehose != nil},
		{types.StorageTypeKinesisVideoStream, "KinesisVideoStreamConfig", c.KinesisVideoStream != nil},
	} {
		switch {
		case part.of == c.StorageType && !part.given:
			return fault.New(fault.InvalidRequest, "StorageConfig.%s is required for the storage type %s", part.name, c.StorageType)
		case part.of != c.StorageType && part.given:
			return fault.New(fault.InvalidRequest, "StorageConfig.%s must not be given for the storage type %s", part.name, c.StorageType)
		}
	}
	return c.checkARNs()
}

// checkARNs refuses streams that are none.
func (c *InstanceStorageConfig) checkARNs() error {
	switch {
	case c.KinesisStream != nil && !isStreamARN(*c.KinesisStream.StreamArn, "kinesis", "stream/"):
		return fault.New(fault.InvalidParameter, "StorageConfig.KinesisStreamConfig.StreamArn must be the ARN of a Kinesis data stream")
	case c.KinesisFirehose != nil && !isStreamARN(*c.KinesisFirehose.FirehoseArn, "firehose", "deliverystream/"):
		return fault.New(fault.InvalidParameter, "StorageConfig.KinesisFirehoseConfig.FirehoseArn must be the ARN of a Firehose delivery stream")
	default:
		return nil
	}
}

// isStreamARN reports whether an ARN names a resource of another service.
func isStreamARN(arn, service, resource string) bool {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != service {
		return false
	}
	name, ok := strings.CutPrefix(parts[5], resource)
	return ok && name != "" && parts[1] != "" && parts[3] != "" && parts[4] != ""
}
