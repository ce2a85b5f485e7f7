package attachments_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const (
	aCase   = "arn:aws:cases:us-east-1:123456789012:domain/d/case/one"
	another = "arn:aws:cases:us-east-1:123456789012:domain/d/case/two"
	unknown = "00000000-0000-4000-8000-000000000000"
)

// site is an instance of a server whose clock a test sets.
type site struct {
	*servertest.Server
	t        testing.TB
	instance string
	now      time.Time
}

func newSite(t testing.TB, change ...func(*server.Config)) *site {
	s := &site{t: t, now: time.Now()}
	s.Server = servertest.Boot(t, append(change, func(c *server.Config) { c.Now = func() time.Time { return s.now } })...)
	s.Connect = s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) {
		o.HTTPClient = &http.Client{Transport: signer{s}}
	})
	s.instance = s.NewInstance(t)
	return s
}

// signer signs requests at the time of the site, whatever the SDK takes for it.
type signer struct{ *site }

func (s signer) RoundTrip(r *http.Request) (*http.Response, error) {
	var raw []byte
	if r.Body != nil {
		var err error
		if raw, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(raw))
	sum := sha256.Sum256(raw)
	keys := aws.Credentials{AccessKeyID: s.Root.AccessKeyID, SecretAccessKey: s.Root.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(r.Context(), keys, again, hex.EncodeToString(sum[:]), "connect", servertest.Region, s.now); err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(again)
}

// upload is a request for a PDF of five bytes.
func (s *site) upload() *connect.StartAttachedFileUploadInput {
	return &connect.StartAttachedFileUploadInput{
		InstanceId: &s.instance, AssociatedResourceArn: aws.String(aCase), FileName: aws.String("Terms.pdf"),
		FileSizeInBytes: aws.Int64(5), FileUseCaseType: types.FileUseCaseTypeAttachment,
	}
}

func (s *site) start(in *connect.StartAttachedFileUploadInput) *connect.StartAttachedFileUploadOutput {
	s.t.Helper()
	fresh := *in // the SDK puts a token into a request that has none
	out, err := s.Connect.StartAttachedFileUpload(s.t.Context(), &fresh)
	ok(s.t, err)
	return out
}

func (s *site) complete(id *string) error {
	_, err := s.Connect.CompleteAttachedFileUpload(s.t.Context(), &connect.CompleteAttachedFileUploadInput{InstanceId: &s.instance, FileId: id, AssociatedResourceArn: aws.String(aCase)})
	return err
}

func (s *site) get(id *string) (*connect.GetAttachedFileOutput, error) {
	return s.Connect.GetAttachedFile(s.t.Context(), &connect.GetAttachedFileInput{InstanceId: &s.instance, FileId: id, AssociatedResourceArn: aws.String(aCase)})
}

// status is that of a file.
func (s *site) status(id *string) types.FileStatusType {
	s.t.Helper()
	out, err := s.get(id)
	ok(s.t, err)
	return out.FileStatus
}

// do sends a request without a signature.
func (s *site) do(method, url string, headers map[string]string, body string) (status int, content string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	ok(s.t, err)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	ok(s.t, err)
	raw, err := io.ReadAll(resp.Body)
	ok(s.t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(raw)
}

func (s *site) put(to *types.UploadUrlMetadata, body string) {
	s.t.Helper()
	if status, text := s.do(http.MethodPut, *to.Url, to.HeadersToInclude, body); status != http.StatusOK {
		s.t.Fatalf("the upload is answered with %d: %s", status, text)
	}
}

func (s *site) time(d time.Duration) *string {
	return aws.String(s.now.Add(d).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// TestAttachedFile is the life of a file.
func TestAttachedFile(t *testing.T) {
	s := newSite(t)
	in := s.upload()
	in.Tags, in.ClientToken = map[string]string{"Team": "law"}, aws.String("once")
	made := s.start(in)
	arn := servertest.InstanceARN(s.instance) + "/file/" + *made.FileId
	root := &types.CreatedByInfoMemberAWSIdentityArn{Value: "arn:aws:iam::123456789012:root"}
	same(t, "the answer", made, connect.StartAttachedFileUploadOutput{
		FileArn: &arn, FileId: made.FileId, FileStatus: types.FileStatusTypeProcessing, CreationTime: s.time(0), CreatedBy: root,
		UploadUrlMetadata: &types.UploadUrlMetadata{
			Url: made.UploadUrlMetadata.Url, UrlExpiry: s.time(5 * time.Minute), HeadersToInclude: map[string]string{"Content-Type": "application/pdf"},
		},
		ResultMetadata: made.ResultMetadata,
	})
	fails(t, s.complete(made.FileId), fault.InvalidRequest, "Nothing has been uploaded")
	got, err := s.get(made.FileId)
	ok(t, err)
	want := &connect.GetAttachedFileOutput{
		FileArn: &arn, FileId: made.FileId, FileName: aws.String("Terms.pdf"), FileSizeInBytes: aws.Int64(5), FileStatus: types.FileStatusTypeProcessing,
		FileUseCaseType: types.FileUseCaseTypeAttachment, AssociatedResourceArn: aws.String(aCase), CreatedBy: root, CreationTime: s.time(0), Tags: in.Tags,
		ResultMetadata: got.ResultMetadata,
	}
	same(t, "the file before its upload", got, want)

	created := s.time(0)
	s.now = s.now.Add(4 * time.Minute) // the same request again is the same file, with a link that lasts
	again := s.start(in)
	same(t, "the answer to the same request", []any{again.FileId, again.CreationTime, again.UploadUrlMetadata.UrlExpiry}, []any{made.FileId, created, s.time(5 * time.Minute)})
	s.put(made.UploadUrlMetadata, "wrong")
	s.put(again.UploadUrlMetadata, "terms")
	ok(t, s.complete(made.FileId))
	ok(t, s.complete(&arn))
	if again := s.start(in); again.FileStatus != types.FileStatusTypeApproved || again.UploadUrlMetadata != nil {
		t.Errorf("a file that is there can be uploaded once more: %+v", again)
	}

	got, err = s.get(&arn)
	ok(t, err)
	download := got.DownloadUrlMetadata
	want.FileStatus, want.ResultMetadata = types.FileStatusTypeApproved, got.ResultMetadata
	want.DownloadUrlMetadata = &types.DownloadUrlMetadata{Url: download.Url, UrlExpiry: s.time(5 * time.Minute)}
	same(t, "the file", got, want)
	if status, content := s.do(http.MethodGet, *download.Url, nil, ""); status != http.StatusOK || content != "terms" {
		t.Errorf("the content is %d, %q", status, content)
	}
	short, err := s.Connect.GetAttachedFile(t.Context(), &connect.GetAttachedFileInput{InstanceId: &s.instance, FileId: made.FileId, AssociatedResourceArn: aws.String(aCase), UrlExpiryInSeconds: aws.Int32(5)})
	ok(t, err)
	same(t, "the end of a short link", short.DownloadUrlMetadata.UrlExpiry, s.time(5*time.Second))

	remove := func(to string) error {
		_, err := s.Connect.DeleteAttachedFile(t.Context(), &connect.DeleteAttachedFileInput{InstanceId: &s.instance, FileId: made.FileId, AssociatedResourceArn: &to})
		return err
	}
	fails(t, remove(another), fault.ResourceNotFound, "something else")
	ok(t, remove(aCase))
	fails(t, remove(aCase), fault.ResourceNotFound, "AttachedFile")
	if status, _ := s.do(http.MethodGet, *download.Url, nil, ""); status != http.StatusNotFound {
		t.Errorf("the content of a deleted file is answered with %d", status)
	}
}

// TestUploadsInTime: a link ends when it says so, and an upload that was not
// completed within the hour has failed.
func TestUploadsInTime(t *testing.T) {
	s := newSite(t)
	in := s.upload()
	in.UrlExpiryInSeconds = aws.Int32(30)
	late, forgotten := s.start(in), s.start(in)
	s.put(forgotten.UploadUrlMetadata, "terms")
	s.now = s.now.Add(30 * time.Second)
	if status, _ := s.do(http.MethodPut, *late.UploadUrlMetadata.Url, late.UploadUrlMetadata.HeadersToInclude, "terms"); status != http.StatusForbidden {
		t.Errorf("an upload after the end of its link is answered with %d", status)
	}
	s.now = s.now.Add(time.Hour - 31*time.Second)
	if got := s.status(forgotten.FileId); got != types.FileStatusTypeProcessing {
		t.Errorf("within the hour it is %s", got)
	}
	s.now = s.now.Add(time.Second)
	if got := s.status(forgotten.FileId); got != types.FileStatusTypeFailed {
		t.Errorf("after the hour it is %s", got)
	}
	fails(t, s.complete(forgotten.FileId), fault.InvalidRequest, "within 1h0m0s")
}

// TestContentOfAnotherSize: what somebody has put into the folder by hand is
// not taken for the upload.
func TestContentOfAnotherSize(t *testing.T) {
	s := newSite(t)
	made := s.start(s.upload())
	s.put(made.UploadUrlMetadata, "terms")
	ok(t, os.WriteFile(filepath.Join(s.Data, "objects", "ringdown-"+s.instance, "attached-files", *made.FileId+".pdf"), []byte("other terms"), 0o600))
	fails(t, s.complete(made.FileId), fault.InvalidRequest, "11 bytes, not 5")
}

// TestWhatMayBeAttached: the configuration of the scope decides, and the
// exception tells the reason.
func TestWhatMayBeAttached(t *testing.T) {
	s := newSite(t)
	contact := servertest.InstanceARN(s.instance) + "/contact/" + unknown
	_, err := s.Connect.UpdateAttachedFilesConfiguration(t.Context(), &connect.UpdateAttachedFilesConfigurationInput{
		InstanceId: &s.instance, AttachmentScope: types.AttachmentScopeEmail, MaximumSizeLimitInBytes: aws.Int64(10),
		ExtensionConfiguration: &types.ExtensionConfiguration{AllowedExtensions: []types.AllowedExtension{{Extension: aws.String("tar")}}},
	})
	ok(t, err)
	for _, c := range []struct {
		to, name string
		size     int64
		want     types.AttachedFileInvalidRequestExceptionReason
	}{
		{aCase, "a.pdf", 11, ""},
		{aCase, "a.tar", 11, types.AttachedFileInvalidRequestExceptionReasonInvalidFileType},
		{aCase, "a.pdf", 20<<20 + 1, types.AttachedFileInvalidRequestExceptionReasonInvalidFileSize},
		{aCase, "a/b.pdf", 11, types.AttachedFileInvalidRequestExceptionReasonInvalidFileName},
		{contact, "a.tar", 10, ""},
		{contact, "a.tar", 11, types.AttachedFileInvalidRequestExceptionReasonInvalidFileSize},
		{contact, "a.pdf", 10, types.AttachedFileInvalidRequestExceptionReasonInvalidFileType},
	} {
		in := s.upload()
		in.AssociatedResourceArn, in.FileName, in.FileSizeInBytes = &c.to, &c.name, &c.size
		_, err := s.Connect.StartAttachedFileUpload(t.Context(), in)
		if c.want == "" {
			ok(t, err)
			continue
		}
		e, is := errors.AsType[*types.InvalidRequestException](err)
		if !is {
			t.Errorf("%s of %d bytes: %v", c.name, c.size, err)
			continue
		}
		if reason, is := e.Reason.(*types.InvalidRequestExceptionReasonMemberAttachedFileInvalidRequestExceptionReason); !is || reason.Value != c.want {
			t.Errorf("%s of %d bytes: the reason is %+v, want %s", c.name, c.size, e.Reason, c.want)
		}
	}
}

func TestBrokenUploads(t *testing.T) {
	s := newSite(t)
	user := func(instance, id string) types.CreatedByInfo {
		return &types.CreatedByInfoMemberConnectUserArn{Value: servertest.InstanceARN(instance) + "/agent/" + id}
	}
	for name, c := range map[string]struct {
		change func(*connect.StartAttachedFileUploadInput)
		word   string
	}{
		"no ARN": {func(in *connect.StartAttachedFileUploadInput) { in.AssociatedResourceArn = aws.String("one") }, "AssociatedResourceArn"},
		"other instance": {func(in *connect.StartAttachedFileUploadInput) {
			in.AssociatedResourceArn = aws.String(servertest.InstanceARN(unknown) + "/contact/a")
		}, "AssociatedResourceArn"},
		"use case":     {func(in *connect.StartAttachedFileUploadInput) { in.FileUseCaseType = types.FileUseCaseTypeEmailMessage }, "ATTACHMENT"},
		"no such user": {func(in *connect.StartAttachedFileUploadInput) { in.CreatedBy = user(s.instance, unknown) }, "User"},
		"foreign user": {func(in *connect.StartAttachedFileUploadInput) { in.CreatedBy = user(unknown, unknown) }, "User"},
		"user without ARN": {func(in *connect.StartAttachedFileUploadInput) {
			in.CreatedBy = &types.CreatedByInfoMemberConnectUserArn{Value: unknown}
		}, "ConnectUserArn"},
		"identity no ARN": {func(in *connect.StartAttachedFileUploadInput) {
			in.CreatedBy = &types.CreatedByInfoMemberAWSIdentityArn{Value: "me"}
		}, "AWSIdentityArn"},
		"identity is empty": {func(in *connect.StartAttachedFileUploadInput) {
			in.CreatedBy = &types.CreatedByInfoMemberAWSIdentityArn{}
		}, "AWSIdentityArn"},
	} {
		in := s.upload()
		c.change(in)
		if _, err := s.Connect.StartAttachedFileUpload(t.Context(), in); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			fails(t, err, fault.InvalidRequest, c.word)
		}
	}
	in := s.upload()
	in.ClientToken = aws.String("token")
	s.start(in)
	in.FileName = aws.String("other.pdf")
	_, err := s.Connect.StartAttachedFileUpload(t.Context(), in)
	fails(t, err, fault.ResourceConflict, "ClientToken")
}

// TestCreatedBy: a file is by whom the request says.
func TestCreatedBy(t *testing.T) {
	s := newSite(t)
	security, err := s.Connect.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &s.instance})
	ok(t, err)
	profiles, err := s.Connect.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &s.instance})
	ok(t, err)
	user, err := s.Connect.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &s.instance, Username: aws.String("mary"), SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
		RoutingProfileId: profiles.RoutingProfileSummaryList[0].Id, IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
	})
	ok(t, err)
	for _, by := range []types.CreatedByInfo{
		&types.CreatedByInfoMemberConnectUserArn{Value: *user.UserArn},
		&types.CreatedByInfoMemberAWSIdentityArn{Value: "arn:aws:sts::123456789012:assumed-role/clerk/mary"},
	} {
		in := s.upload()
		in.CreatedBy = by
		made := s.start(in)
		same(t, "the creator", made.CreatedBy, by)
		got, err := s.get(made.FileId)
		ok(t, err)
		same(t, "the creator", got.CreatedBy, by)
	}
}

func TestBatchGetAttachedFileMetadata(t *testing.T) {
	s := newSite(t)
	one, two := s.start(s.upload()), s.start(s.upload())
	in := s.upload()
	in.AssociatedResourceArn = aws.String(another)
	elsewhere := s.start(in)
	s.put(two.UploadUrlMetadata, "terms")
	ok(t, s.complete(two.FileId))
	out, err := s.Connect.BatchGetAttachedFileMetadata(t.Context(), &connect.BatchGetAttachedFileMetadataInput{
		InstanceId: &s.instance, AssociatedResourceArn: aws.String(aCase), FileIds: []string{*two.FileId, unknown, *one.FileArn, *elsewhere.FileId},
	})
	ok(t, err)
	if len(out.Files) != 2 || len(out.Errors) != 2 {
		t.Fatalf("files %+v, errors %+v", out.Files, out.Errors)
	}
	got, err := s.get(two.FileId)
	ok(t, err)
	same(t, "the file", out.Files[0], types.AttachedFile{
		FileArn: got.FileArn, FileId: got.FileId, FileName: got.FileName, FileSizeInBytes: got.FileSizeInBytes, FileStatus: types.FileStatusTypeApproved,
		FileUseCaseType: got.FileUseCaseType, AssociatedResourceArn: got.AssociatedResourceArn, CreatedBy: got.CreatedBy, CreationTime: got.CreationTime,
		Tags: map[string]string{},
	})
	same(t, "the others", []any{out.Files[1].FileId, out.Files[1].FileStatus, out.Errors[0].FileId, out.Errors[0].ErrorCode, out.Errors[1].FileId, out.Errors[1].ErrorCode}, []any{
		one.FileId, types.FileStatusTypeProcessing, unknown, fault.ResourceNotFound, elsewhere.FileId, fault.ResourceNotFound,
	})
	_, err = s.Connect.BatchGetAttachedFileMetadata(t.Context(), &connect.BatchGetAttachedFileMetadataInput{InstanceId: &s.instance, AssociatedResourceArn: aws.String("a case"), FileIds: []string{*one.FileId}})
	fails(t, err, fault.InvalidRequest, "AssociatedResourceArn")
}

// TestQuota: a contact may have ten files, and each has its own count.
func TestQuota(t *testing.T) {
	s := newSite(t, func(c *server.Config) { c.Quotas = true })
	in := s.upload()
	in.AssociatedResourceArn = aws.String(servertest.InstanceARN(s.instance) + "/contact/one")
	var last *connect.StartAttachedFileUploadOutput
	for range 10 {
		last = s.start(in)
	}
	over := *in
	_, err := s.Connect.StartAttachedFileUpload(t.Context(), &over)
	fails(t, err, fault.ServiceQuotaExceeded, "10 attached files")
	e, is := errors.AsType[*types.ServiceQuotaExceededException](err)
	if !is {
		t.Fatal(err)
	}
	same(t, "the reason", e.Reason, &types.ServiceQuotaExceededExceptionReasonMemberAttachedFileServiceQuotaExceededExceptionReason{
		Value: types.AttachedFileServiceQuotaExceededExceptionReasonTotalFileCountExceeded,
	})
	other := *in
	other.AssociatedResourceArn = aws.String(servertest.InstanceARN(s.instance) + "/contact/two")
	s.start(&other)
	_, err = s.Connect.DeleteAttachedFile(t.Context(), &connect.DeleteAttachedFileInput{InstanceId: &s.instance, FileId: last.FileId, AssociatedResourceArn: in.AssociatedResourceArn})
	ok(t, err)
	s.start(in)
	for range 11 {
		s.start(s.upload()) // a case has no such number
	}
}
