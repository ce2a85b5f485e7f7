package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Amazon is the endpoint that stands for Amazon's own S3.
const Amazon = "aws"

// S3Options say how a service that speaks Amazon S3 is reached.
type S3Options struct {
	// Endpoint is its URL, whose buckets are addressed by path; or Amazon.
	Endpoint        string
	Region          string
	AccessKeyID     string
	SecretAccessKey string
}

// S3 is the store in a service that speaks Amazon S3. Its principal must be
// allowed GetObject where prompts are read from, and everything with the
// server's own buckets, which it makes and removes.
type S3 struct {
	client  *s3.Client
	presign *s3.PresignClient
}

// NewS3 returns the store of a service. It does not ask whether the service is
// there.
func NewS3(o S3Options) (*S3, error) {
	if o.AccessKeyID == "" || o.SecretAccessKey == "" {
		return nil, errors.New("an access key id and a secret access key are required")
	}
	opts := s3.Options{
		Region:      o.Region,
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, ""),
		// Not every service that speaks S3 knows the newer check sums.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if o.Endpoint != Amazon {
		if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("the endpoint must be %q or a URL such as http://127.0.0.1:9000", Amazon)
		}
		opts.BaseEndpoint, opts.UsePathStyle = &o.Endpoint, true
	}
	client := s3.New(opts)
	return &S3{client, s3.NewPresignClient(client)}, nil
}

// failed is what an error of the service means. Services differ in the names
// that they give to one thing.
func failed(at URI, err error) error {
	switch code(err) {
	case "NoSuchKey", "NoSuchBucket", "NotFound":
		return ErrNotFound
	case "AccessDenied", "Forbidden":
		return ErrDenied
	default:
		return fmt.Errorf("object %s: %w", at, err)
	}
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// Get opens an object.
func (s *S3) Get(ctx context.Context, at URI) (io.ReadCloser, Info, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &at.bucket, Key: &at.key})
	if err != nil {
		return nil, Info{}, failed(at, err)
	}
	return out.Body, Info{aws.ToInt64(out.ContentLength), aws.ToTime(out.LastModified)}, nil
}

// Stat tells of an object.
func (s *S3) Stat(ctx context.Context, at URI) (Info, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &at.bucket, Key: &at.key})
	if err != nil {
		return Info{}, failed(at, err)
	}
	return Info{aws.ToInt64(out.ContentLength), aws.ToTime(out.LastModified)}, nil
}

// Put makes or replaces an object.
func (s *S3) Put(ctx context.Context, at URI, body io.ReadSeeker) error {
	start, err := body.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("object %s: %w", at, err)
	}
	in := &s3.PutObjectInput{Bucket: &at.bucket, Key: &at.key, Body: body, ContentType: aws.String(at.ContentType())}
	_, err = s.client.PutObject(ctx, in)
	if code(err) == "NoSuchBucket" {
		if err := s.makeBucket(ctx, at.bucket); err != nil {
			return err
		}
		if _, err := body.Seek(start, io.SeekStart); err != nil {
			return fmt.Errorf("object %s: %w", at, err)
		}
		_, err = s.client.PutObject(ctx, in)
	}
	if err != nil {
		return fmt.Errorf("object %s: %w", at, err)
	}
	return nil
}

func (s *S3) makeBucket(ctx context.Context, bucket string) error {
	in := &s3.CreateBucketInput{Bucket: &bucket}
	// us-east-1 is where a bucket is that names no place; it must not be named
	// (Amazon S3 API reference, CreateBucketConfiguration).
	if region := s.client.Options().Region; region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	_, err := s.client.CreateBucket(ctx, in)
	if err != nil && code(err) != "BucketAlreadyOwnedByYou" {
		return fmt.Errorf("bucket %s: %w", bucket, err)
	}
	return nil
}

// Delete removes an object.
func (s *S3) Delete(ctx context.Context, at URI) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &at.bucket, Key: &at.key})
	if err != nil && !errors.Is(failed(at, err), ErrNotFound) {
		return failed(at, err)
	}
	return nil
}

// DeleteBucket removes a bucket with all that is in it.
func (s *S3) DeleteBucket(ctx context.Context, bucket string) error {
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if code(err) == "NoSuchBucket" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("bucket %s: %w", bucket, err)
		}
		// One by one: removing many at once needs check sums that not every
		// service knows.
		for _, o := range page.Contents {
			if err := s.Delete(ctx, URI{bucket, *o.Key}); err != nil {
				return err
			}
		}
	}
	if _, err := s.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket}); err != nil && code(err) != "NoSuchBucket" {
		return fmt.Errorf("bucket %s: %w", bucket, err)
	}
	return nil
}

// Presign returns a URL of the service's.
func (s *S3) Presign(ctx context.Context, at URI, validity time.Duration) (string, error) {
	out, err := s.presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &at.bucket, Key: &at.key}, s3.WithPresignExpires(validity))
	if err != nil {
		return "", fmt.Errorf("object %s: %w", at, err)
	}
	return out.URL, nil
}

// PresignPut returns a URL of the service's. The bucket is made if need be, for
// whoever uses the URL cannot.
func (s *S3) PresignPut(ctx context.Context, at URI, u Upload) (Link, error) {
	_, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &at.bucket})
	switch {
	case err == nil:
	case errors.Is(failed(at, err), ErrNotFound):
		if err := s.makeBucket(ctx, at.bucket); err != nil {
			return Link{}, err
		}
	default:
		return Link{}, fmt.Errorf("bucket %s: %w", at.bucket, err)
	}
	out, err := s.presign.PresignPutObject(ctx, &s3.PutObjectInput{
		Bucket: &at.bucket, Key: &at.key, ContentLength: &u.Size, ContentType: aws.String(at.ContentType()),
	}, s3.WithPresignExpires(u.Validity))
	if err != nil {
		return Link{}, fmt.Errorf("object %s: %w", at, err)
	}
	headers := map[string]string{}
	for name, values := range out.SignedHeader {
		if name != "Host" && name != "Content-Length" {
			headers[name] = values[0]
		}
	}
	return Link{out.URL, headers}, nil
}

// Honours is false: whether a URL of the service's is still good only the
// service knows, and it is not asked.
func (s *S3) Honours(string, URI) bool { return false }
