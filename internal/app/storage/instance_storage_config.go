package storage

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/objects"
	"ringdown/internal/store"
)

// configPage is the page size of ListInstanceStorageConfigs when the request
// names none: the greatest that it may name.
const configPage = 10

// storageConfigKind has one resource for each type of resource at most: an
// instance cannot have several buckets for its chat transcripts (AWS API
// reference, AssociateInstanceStorageConfig).
var storageConfigKind = catalog.Kind[domain.InstanceStorageConfig]{
	Of:     domain.KindInstanceStorageConfig,
	Name:   func(e *domain.InstanceStorageConfig) string { return string(e.ResourceType) },
	Check:  checkStorageConfig,
	NoTags: true,
}

// checkStorageConfig is the entity's check and that of what the domain does
// not know: how a bucket is named. Whether the bucket or the stream exists is
// not asked (docs/divergences.md).
func checkStorageConfig(e *domain.InstanceStorageConfig) error {
	if err := e.Check(); err != nil {
		return err
	}
	if e.S3 == nil {
		return nil
	}
	if err := objects.CheckBucket(*e.S3.BucketName); err != nil {
		return fault.New(fault.InvalidParameter, "StorageConfig.S3Config.BucketName is not the name of a bucket: %v", err)
	}
	return nil
}

// AssociateInstanceStorageConfig says where an instance puts a type of
// resource that it has put nowhere so far.
func (s *Storage) AssociateInstanceStorageConfig(ctx context.Context, in *connect.AssociateInstanceStorageConfigInput) (*connect.AssociateInstanceStorageConfigOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, s.catalog, sc, "AssociateInstanceStorageConfig", in.ClientToken, in, func(tx store.Tx) (*connect.AssociateInstanceStorageConfigOutput, error) {
		suffix, err := streamSuffix(ctx, tx, sc)
		if err != nil {
			return nil, err
		}
		e := domain.InstanceStorageConfig{ResourceType: in.ResourceType}
		setStorage(&e, in.StorageConfig, suffix)
		i, err := s.configs.Insert(ctx, tx, sc, &e, nil)
		if fault.Is(err, fault.DuplicateResource) {
			return nil, fault.New(fault.ResourceConflict, "The instance already has a storage configuration for %s.", in.ResourceType).Wrap(err)
		}
		if err != nil {
			return nil, err
		}
		return &connect.AssociateInstanceStorageConfigOutput{AssociationId: &i.ID}, nil
	})
}

// DescribeInstanceStorageConfig returns a storage configuration.
func (s *Storage) DescribeInstanceStorageConfig(ctx context.Context, in *connect.DescribeInstanceStorageConfigInput) (*connect.DescribeInstanceStorageConfigOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := s.configs.Get(ctx, sc, *in.AssociationId)
	if err != nil {
		return nil, err
	}
	if err := isFor(in.ResourceType, &i.Value); err != nil {
		return nil, err
	}
	suffix, err := streamSuffix(ctx, s.catalog.Store(), sc)
	if err != nil {
		return nil, err
	}
	out := storageConfig(i, suffix)
	return &connect.DescribeInstanceStorageConfigOutput{StorageConfig: &out}, nil
}

// Bucket is where the instance puts a type of resource: a bucket and the
// beginning of keys. False when it puts it nowhere, or not into a bucket.
func (s *Storage) Bucket(ctx context.Context, sc catalog.Scope, t types.InstanceStorageResourceType) (bucket, prefix string, ok bool, err error) {
	i, err := s.configs.GetByName(ctx, s.catalog.Store(), sc, string(t))
	switch {
	case fault.Is(err, fault.ResourceNotFound):
		return "", "", false, nil
	case err != nil:
		return "", "", false, err
	case i.Value.S3 == nil:
		return "", "", false, nil
	}
	return aws.ToString(i.Value.S3.BucketName), aws.ToString(i.Value.S3.BucketPrefix), true, nil
}

// ListInstanceStorageConfigs lists the storage configurations for a type of
// resource.
func (s *Storage) ListInstanceStorageConfigs(ctx context.Context, in *connect.ListInstanceStorageConfigsInput) (*connect.ListInstanceStorageConfigsOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: configPage}
	found, next, err := s.configs.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.InstanceStorageConfig]) bool {
		return i.Value.ResourceType == in.ResourceType
	})
	if err != nil {
		return nil, err
	}
	suffix, err := streamSuffix(ctx, s.catalog.Store(), sc)
	if err != nil {
		return nil, err
	}
	return &connect.ListInstanceStorageConfigsOutput{
		NextToken: next,
		StorageConfigs: catalog.Map(found, func(i *catalog.Item[domain.InstanceStorageConfig]) types.InstanceStorageConfig {
			return storageConfig(i, suffix)
		}),
	}, nil
}

// UpdateInstanceStorageConfig replaces a storage configuration. The type of
// storage may change where the type of resource allows several.
func (s *Storage) UpdateInstanceStorageConfig(ctx context.Context, in *connect.UpdateInstanceStorageConfigInput) (*connect.UpdateInstanceStorageConfigOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, s.configs.Update(ctx, sc, *in.AssociationId, func(tx store.Tx, e *domain.InstanceStorageConfig) error {
		if err := isFor(in.ResourceType, e); err != nil {
			return err
		}
		suffix, err := streamSuffix(ctx, tx, sc)
		if err != nil {
			return err
		}
		setStorage(e, in.StorageConfig, suffix)
		return nil
	})
}

// DisassociateInstanceStorageConfig removes a storage configuration.
func (s *Storage) DisassociateInstanceStorageConfig(ctx context.Context, in *connect.DisassociateInstanceStorageConfigInput) (*connect.DisassociateInstanceStorageConfigOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, s.configs.Delete(ctx, sc, *in.AssociationId, func(_ store.Tx, i *catalog.Item[domain.InstanceStorageConfig]) error {
		return isFor(in.ResourceType, &i.Value)
	})
}

// isFor refuses an association that is there, but for another type of
// resource than the request names.
func isFor(t types.InstanceStorageResourceType, e *domain.InstanceStorageConfig) error {
	if e.ResourceType != t {
		return fault.New(fault.ResourceNotFound, "The association is for %s, not for %s.", e.ResourceType, t)
	}
	return nil
}

// setStorage takes over what a request says. Its AssociationId is of no
// consequence, so that what Describe shows can be sent back as it is.
func setStorage(e *domain.InstanceStorageConfig, in *types.InstanceStorageConfig, suffix string) {
	e.StorageType = in.StorageType
	e.S3, e.KinesisStream, e.KinesisFirehose, e.KinesisVideoStream = in.S3Config, in.KinesisStreamConfig, in.KinesisFirehoseConfig, nil
	if v := in.KinesisVideoStreamConfig; v != nil {
		video := *v
		if prefix := strings.TrimSuffix(*v.Prefix, suffix); prefix != "" {
			video.Prefix = &prefix
		}
		e.KinesisVideoStream = &video
	}
}

// streamSuffix is what the service appends to the prefix of video streams when
// it shows it: "-connect-ALIAS-contact-" (Terraform registry,
// aws_connect_instance_storage_config, prefix). An instance without an alias
// has its id there.
func streamSuffix(ctx context.Context, rd store.Reader, sc catalog.Scope) (string, error) {
	r, err := rd.Get(ctx, store.Root, domain.KindInstance, string(sc.ID))
	if err != nil {
		return "", err
	}
	alias := r.Name
	if alias == "" {
		alias = string(sc.ID)
	}
	return "-connect-" + alias + "-contact-", nil
}

func storageConfig(i *catalog.Item[domain.InstanceStorageConfig], suffix string) types.InstanceStorageConfig {
	e := &i.Value
	out := types.InstanceStorageConfig{
		AssociationId: aws.String(i.ID), StorageType: e.StorageType,
		S3Config: e.S3, KinesisStreamConfig: e.KinesisStream, KinesisFirehoseConfig: e.KinesisFirehose,
	}
	if e.KinesisVideoStream != nil {
		video := *e.KinesisVideoStream
		video.Prefix = aws.String(*video.Prefix + suffix)
		out.KinesisVideoStreamConfig = &video
	}
	return out
}
