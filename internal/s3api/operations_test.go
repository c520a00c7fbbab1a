package s3api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fiducial/internal/objects"
)

func read(t *testing.T, c *s3.Client, bucket, key string) string {
	t.Helper()
	out, err := c.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	check(t, err)
	b, err := io.ReadAll(out.Body)
	check(t, err)
	return string(b)
}

func TestBuckets(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("one", "k", "x")
	ctx := context.Background()
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("one")})
	check(t, err) // again, as us-east-1 answers
	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("two"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	if code(err) != "InvalidLocationConstraint" {
		t.Errorf("another region: %v", err)
	}
	for _, acl := range []types.BucketCannedACL{types.BucketCannedACLPublicRead, types.BucketCannedACLAuthenticatedRead} {
		if _, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("two"), ACL: acl}); code(err) != "AccessControlListNotSupported" {
			t.Errorf("%s: %v", acl, err)
		}
	}
	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("two"), ACL: types.BucketCannedACLPrivate})
	check(t, err)
	list, err := c.ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)})
	check(t, err)
	if len(list.Buckets) != 1 || *list.Buckets[0].Name != "one" || list.ContinuationToken == nil {
		t.Errorf("first page: %+v", list)
	}
	list, err = c.ListBuckets(ctx, &s3.ListBucketsInput{ContinuationToken: list.ContinuationToken})
	check(t, err)
	if len(list.Buckets) != 1 || *list.Buckets[0].Name != "two" {
		t.Errorf("second page: %+v", list)
	}
	head, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("one")})
	if err != nil || *head.BucketRegion != region {
		t.Errorf("%+v %v", head, err)
	}
	if _, err = c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("none")}); code(err) != "NotFound" {
		t.Errorf("head of none: %v", err)
	}
	loc, err := c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("one")})
	if err != nil || loc.LocationConstraint != "" {
		t.Errorf("%+v %v", loc, err)
	}
	v, err := c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: aws.String("one")})
	if err != nil || v.Status != "" {
		t.Errorf("%+v %v", v, err)
	}
	acl, err := c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: aws.String("one")})
	if err != nil || len(acl.Grants) != 1 || acl.Grants[0].Permission != "FULL_CONTROL" || *acl.Grants[0].Grantee.ID != *acl.Owner.ID {
		t.Errorf("%+v %v", acl, err)
	}
	for name, call := range map[string]func() error{
		"lifecycle": func() error {
			_, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: aws.String("one")})
			return err
		},
		"tagging": func() error {
			_, err := c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String("one")})
			return err
		},
	} {
		if err := call(); code(err) != "NotImplemented" || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tags, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: aws.String("one"), Key: aws.String("k")})
	if err != nil || len(tags.TagSet) != 0 {
		t.Errorf("the tags of an object: %+v %v", tags, err)
	}
	if _, err = c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: aws.String("one"), Key: aws.String("none")}); code(err) != "NoSuchKey" {
		t.Errorf("the tags of no object: %v", err)
	}
	if _, err = c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: aws.String("one"), Key: aws.String("k"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}}); code(err) != "NotImplemented" {
		t.Errorf("tags for an object: %v", err)
	}
	if _, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("one")}); code(err) != "BucketNotEmpty" {
		t.Errorf("delete of a full bucket: %v", err)
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("two")})
	check(t, err)
	if _, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("two")}); code(err) != "NoSuchBucket" {
		t.Errorf("twice: %v", err)
	}
}

func TestConditionalReadsAndRanges(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "k", "0123456789")
	url := e.grant("k", "127.0.0.1", time.Now(), time.Minute)
	res, err := http.Get(url)
	check(t, err)
	_ = res.Body.Close()
	etag, modified := res.Header.Get("Etag"), res.Header.Get("Last-Modified")
	for _, c := range []struct {
		name   string
		header http.Header
		want   int
		body   string
	}{
		{"all", nil, 200, "0123456789"},
		{"a range", http.Header{"Range": {"bytes=2-4"}}, 206, "234"},
		{"the end", http.Header{"Range": {"bytes=-3"}}, 206, "789"},
		{"from the middle", http.Header{"Range": {"bytes=7-"}}, 206, "789"},
		{"behind the end", http.Header{"Range": {"bytes=10-"}}, 416, ""},
		{"several ranges", http.Header{"Range": {"bytes=0-1,3-4"}}, 200, "0123456789"},
		{"the same", http.Header{"If-None-Match": {etag}}, 304, ""},
		{"not since", http.Header{"If-Modified-Since": {modified}}, 304, ""},
		{"another", http.Header{"If-Match": {`"x"`}}, 412, ""},
		{"this one", http.Header{"If-Match": {etag}}, 200, "0123456789"},
		{"this one's range", http.Header{"If-Match": {etag}, "Range": {"bytes=0-0"}}, 206, "0"},
	} {
		code, body := status(t, http.DefaultClient, "GET", url, c.header)
		if code != c.want || code < 300 && body != c.body {
			t.Errorf("%s: %d %q", c.name, code, body)
		}
	}
}

func TestConditionalWrites(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("media")
	ctx := context.Background()
	put := func(key, body string, match, none *string) (string, string) {
		out, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: &key, Body: strings.NewReader(body), IfMatch: match, IfNoneMatch: none})
		if err != nil {
			return "", code(err)
		}
		return *out.ETag, ""
	}
	star := aws.String("*")
	first, got := put("k", "1", nil, star)
	if got != "" {
		t.Fatal(got)
	}
	if _, got = put("k", "2", nil, star); got != "PreconditionFailed" {
		t.Errorf("create what is there: %q", got)
	}
	second, got := put("k", "3", &first, nil)
	if got != "" {
		t.Errorf("replace what is expected: %q", got)
	}
	if _, got = put("k", "4", &first, nil); got != "PreconditionFailed" {
		t.Errorf("replace what was changed: %q", got)
	}
	if _, got = put("none", "4", &first, nil); got != "NoSuchKey" {
		t.Errorf("replace what is not there: %q", got)
	}
	if s := read(t, c, "media", "k"); s != "3" {
		t.Errorf("the object is %q", s)
	}
	if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("media"), Key: aws.String("k"), IfMatch: &first}); code(err) != "PreconditionFailed" {
		t.Errorf("delete what was changed: %v", err)
	}
	_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("media"), Key: aws.String("k"), IfMatch: &second})
	check(t, err)
}

// A body that is not what its headers promise leaves nothing behind.
func TestBrokenUploadsLeaveNothing(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("media", "k", "old")
	ctx := context.Background()
	for name, in := range map[string]*s3.PutObjectInput{
		"MD5":    {ContentMD5: aws.String("1B2M2Y8AsgTpgAmY7PhCfg==")},
		"CRC32":  {ChecksumCRC32: aws.String("AAAAAA==")},
		"SHA256": {ChecksumSHA256: aws.String("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")},
	} {
		in.Bucket, in.Key, in.Body = aws.String("media"), aws.String("k"), strings.NewReader("new")
		if _, err := c.PutObject(ctx, in); code(err) != "BadDigest" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := read(t, c, "media", "k"); s != "old" {
		t.Errorf("the object is %q", s)
	}
}

func TestCopy(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("from", "dir/ä b+c", "bytes")
	e.bucket("dest")
	ctx := context.Background()
	put, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("from"), Key: aws.String("m"), Body: strings.NewReader("meta"), ContentType: aws.String("a/b"), Metadata: map[string]string{"x": "1"}})
	check(t, err)
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("copy"), CopySource: aws.String("from/dir/%C3%A4%20b+c")})
	check(t, err)
	if s := read(t, c, "dest", "copy"); s != "bytes" {
		t.Errorf("copy: %q", s)
	}
	head := func(bucket, key string) *s3.HeadObjectOutput {
		t.Helper()
		out, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
		check(t, err)
		return out
	}
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("m"), CopySource: aws.String("/from/m")})
	check(t, err)
	if h := head("dest", "m"); *h.ContentType != "a/b" || h.Metadata["x"] != "1" || *h.ETag != *put.ETag {
		t.Errorf("kept metadata: %+v", h)
	}
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("m"), CopySource: aws.String("dest/m"), MetadataDirective: types.MetadataDirectiveReplace, Metadata: map[string]string{"y": "2"}, ContentType: aws.String("c/d")})
	check(t, err)
	if h := head("dest", "m"); *h.ContentType != "c/d" || h.Metadata["y"] != "2" || len(h.Metadata) != 1 {
		t.Errorf("replaced metadata: %+v", h)
	}
	if s := read(t, c, "dest", "m"); s != "meta" {
		t.Errorf("after replacing its metadata the object is %q", s)
	}
	for _, x := range []struct {
		name string
		in   s3.CopyObjectInput
		want string
	}{
		{"to itself", s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("m"), CopySource: aws.String("dest/m")}, "InvalidRequest"},
		{"a missing key", s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("n"), CopySource: aws.String("from/none")}, "NoSuchKey"},
		{"a missing bucket", s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("n"), CopySource: aws.String("none/none")}, "NoSuchBucket"},
		{"if it is another", s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("n"), CopySource: aws.String("from/m"), CopySourceIfMatch: aws.String("x")}, "PreconditionFailed"},
		{"if it is not this", s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("n"), CopySource: aws.String("from/m"), CopySourceIfNoneMatch: put.ETag}, "PreconditionFailed"},
	} {
		if _, err := c.CopyObject(ctx, &x.in); code(err) != x.want {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	// Who may write here but not read there.
	u := e.user("writer", doc("Allow", "s3:PutObject", "arn:aws:s3:::dest/*"))
	if _, err := u.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("dest"), Key: aws.String("stolen"), CopySource: aws.String("from/m")}); code(err) != "AccessDenied" {
		t.Errorf("a source that may not be read: %v", err)
	}
}

func TestListingAndDeleting(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("media")
	ctx := context.Background()
	var ids []types.ObjectIdentifier
	for i := range 25 {
		key := fmt.Sprintf("d%d/ü %02d&<>", i%3, i)
		check(t, e.objects.Put(ctx, e.iam.Root(), "media", key, "", strings.NewReader("x")))
		ids = append(ids, types.ObjectIdentifier{Key: &key})
	}
	var keys []string
	p := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("media"), MaxKeys: aws.Int32(4)})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		check(t, err)
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	if len(keys) != 25 || keys[0] != "d0/ü 00&<>" {
		t.Errorf("%d keys, the first %q", len(keys), keys[0])
	}
	out, err := c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: aws.String("media"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)})
	check(t, err)
	if len(out.CommonPrefixes) != 2 || !*out.IsTruncated || *out.NextMarker != "d1/" {
		t.Errorf("%+v", out)
	}
	out, err = c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: aws.String("media"), Delimiter: aws.String("/"), Marker: out.NextMarker, EncodingType: types.EncodingTypeUrl})
	check(t, err)
	if len(out.CommonPrefixes) != 1 || *out.CommonPrefixes[0].Prefix != "d2/" {
		t.Errorf("%+v", out)
	}
	versions, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String("media"), Prefix: aws.String("d1/")})
	check(t, err)
	if len(versions.Versions) != 8 || *versions.Versions[0].VersionId != "null" {
		t.Errorf("%d versions", len(versions.Versions))
	}
	// One that may not go stays, the others go.
	check(t, e.objects.PutBucketPolicy(ctx, local(e), "media", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::media/d2/*"}]}`), true))
	del, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String("media"), Delete: &types.Delete{Objects: append(ids, types.ObjectIdentifier{Key: aws.String("none")})}})
	check(t, err)
	if len(del.Deleted) != 18 || len(del.Errors) != 8 || *del.Errors[0].Code != "AccessDenied" {
		t.Errorf("%d deleted, %d refused", len(del.Deleted), len(del.Errors))
	}
	left, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("media")})
	if err != nil || *left.KeyCount != 8 {
		t.Errorf("%+v %v", left, err)
	}
}

func TestCORS(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("media", "k", "x")
	ctx := context.Background()
	_, err := c.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: aws.String("media"), CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{
		AllowedOrigins: []string{"https://portal.example"}, AllowedMethods: []string{"GET"}, AllowedHeaders: []string{"range"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: aws.Int32(60),
	}}}})
	check(t, err)
	got, err := c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: aws.String("media")})
	if err != nil || len(got.CORSRules) != 1 || *got.CORSRules[0].MaxAgeSeconds != 60 {
		t.Errorf("%+v %v", got, err)
	}
	ask := func(method, origin string, h map[string]string) *http.Response {
		t.Helper()
		req, _ := http.NewRequest(method, e.url+"/media/k", nil)
		req.Header.Set("Origin", origin)
		for k, v := range h {
			req.Header.Set(k, v)
		}
		res, err := http.DefaultClient.Do(req)
		check(t, err)
		_ = res.Body.Close()
		return res
	}
	res := ask("OPTIONS", "https://portal.example", map[string]string{"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "Range"})
	if res.StatusCode != 200 || res.Header.Get("Access-Control-Allow-Origin") != "https://portal.example" || res.Header.Get("Access-Control-Allow-Headers") != "range" || res.Header.Get("Access-Control-Max-Age") != "60" {
		t.Errorf("preflight: %d %v", res.StatusCode, res.Header)
	}
	for name, h := range map[string]map[string]string{
		"another method": {"Access-Control-Request-Method": "PUT"},
		"another header": {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-other"},
	} {
		if res := ask("OPTIONS", "https://portal.example", h); res.StatusCode != 403 || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", name, res.StatusCode, res.Header)
		}
	}
	// A refusal can be seen by the page that it is for, and by no other.
	if res := ask("GET", "https://portal.example", nil); res.StatusCode != 403 || res.Header.Get("Access-Control-Allow-Origin") != "https://portal.example" || res.Header.Get("Access-Control-Expose-Headers") != "ETag" {
		t.Errorf("refusal: %d %v", res.StatusCode, res.Header)
	}
	if res := ask("GET", "https://evil.example", nil); res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another page: %v", res.Header)
	}
	_, err = c.DeleteBucketCors(ctx, &s3.DeleteBucketCorsInput{Bucket: aws.String("media")})
	check(t, err)
	if _, err = c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: aws.String("media")}); code(err) != "NoSuchCORSConfiguration" {
		t.Error(err)
	}
}

// The access log has one line a request in S3's format, without what would open
// the URL again.
func TestAccessLog(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("media", "cat 1.jpg", "meow")
	e.bucket("logs")
	ctx := context.Background()
	_, err := c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: aws.String("media"), BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("logs"), TargetPrefix: aws.String("media/")}}})
	check(t, err)
	status2, err := c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: aws.String("media")})
	if err != nil || *status2.LoggingEnabled.TargetBucket != "logs" {
		t.Errorf("%+v %v", status2, err)
	}
	_, err = c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: aws.String("media"), BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("none"), TargetPrefix: aws.String("")}}})
	if code(err) != "InvalidTargetBucketForLogging" {
		t.Errorf("a target that is not there: %v", err)
	}
	url := e.grant("cat 1.jpg", "127.0.0.1", time.Now(), time.Minute)
	status(t, http.DefaultClient, "GET", url, http.Header{"User-Agent": {`evil" "agent`}})
	status(t, from("127.0.0.2"), "GET", url, nil)
	running, stop := context.WithCancel(ctx)
	stop()
	e.objects.Run(running) // delivers on its way out
	list, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("logs"), Prefix: aws.String("media/20")})
	if err != nil || len(list.Contents) != 1 {
		t.Fatalf("%d log objects, %v", len(list.Contents), err)
	}
	text := read(t, c, "logs", *list.Contents[0].Key)
	var get, refused string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if strings.Contains(line, "REST.GET.OBJECT") {
			if strings.Contains(line, " 200 ") {
				get = line
			} else {
				refused = line
			}
		}
	}
	for _, part := range []string{
		objects.OwnerID(account) + " media [", " 127.0.0.1 arn:aws:sts::000000000000:assumed-role/labeler/worker ", " REST.GET.OBJECT cat%201.jpg ",
		`"GET /media/cat%201.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&`, "X-Amz-Signature=REDACTED", "X-Amz-Security-Token=REDACTED", ` HTTP/1.1" 200 - 4 4 `, ` "evil%22 %22agent" `, " SigV4 - QueryString 127.0.0.1:",
	} {
		if !strings.Contains(get, part) {
			t.Errorf("the line lacks %q:\n%s", part, get)
		}
	}
	if !strings.Contains(refused, " 127.0.0.2 ") || !strings.Contains(refused, " 403 AccessDenied ") {
		t.Errorf("the refusal: %s", refused)
	}
	signature := url[strings.LastIndex(url, "=")+1:]
	if strings.Contains(text, signature) {
		t.Error("the log holds a signature")
	}
}

func TestVirtualHosts(t *testing.T) {
	e := start(t, settings{domain: "s3.test"})
	e.bucket("media", "dir/k", "x")
	port := e.url[strings.LastIndexByte(e.url, ':'):]
	for _, c := range []struct {
		host, path string
		want       int
	}{
		{"media.s3.test" + port, "/dir/k", 403}, // a bucket that is there: refused for want of a signature
		{"absent.s3.test" + port, "/dir/k", 404},
		{"s3.test" + port, "/media/dir/k", 403},
		{"MEDIA.S3.TEST", "/dir/k", 403},
		{"s3.test", "/absent/k", 404},
		{"evils3.test", "/media/dir/k", 403}, // not below the domain: path style
	} {
		req, _ := http.NewRequest("GET", e.url+c.path, nil)
		req.Host = c.host
		res, err := http.DefaultClient.Do(req)
		check(t, err)
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s%s: %d", c.host, c.path, res.StatusCode)
		}
	}
}

// Requests that no client of S3 makes get an S3 error, never a 500.
func TestOddRequests(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "k", "x")
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 403}, {"GET", "//", 403}, {"GET", "//k", 404}, {"GET", "/media//", 403}, {"PATCH", "/media/k", 405}, {"TRACE", "/media/k", 405},
		{"POST", "/media/k", 405}, {"GET", "/media?torrent", 501}, {"GET", "/media/k?tagging", 403}, {"PUT", "/media/k?tagging", 501}, {"GET", "/media?tagging", 501}, {"PUT", "/", 405}, {"GET", "/media/../k", 403},
		{"GET", "/media?list-type=7", 400}, {"GET", "/media?max-keys=-1", 400}, {"GET", "/media?encoding-type=x", 400},
		{"GET", "/media/k?partNumber=0", 400}, {"GET", "/media/k?versionId=7", 404}, {"OPTIONS", "/media/k", 400},
		{"GET", "/media/%ff%fe", 403}, {"GET", "/" + strings.Repeat("b", 5000) + "/k", 404}, {"GET", "/media/" + strings.Repeat("k", 3000), 403},
		{"GET", "/media/k?" + strings.Repeat("a&", 300), 400}, {"GET", "/media/k?%zz", 400},
	} {
		req, err := http.NewRequest(c.method, e.url+"/", nil)
		check(t, err)
		path, query, _ := strings.Cut(c.path, "?")
		req.URL.Opaque, req.URL.RawQuery = "//"+req.URL.Host+path, query
		res, err := http.DefaultClient.Do(req)
		check(t, err)
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != c.want || !bytes.Contains(body, []byte("<Error><Code>")) {
			t.Errorf("%s %.60s: %d %.200s", c.method, c.path, res.StatusCode, body)
		}
	}
}

// Whatever a document says, the answer is an answer: nothing panics, and what is
// malformed is refused.
func FuzzDocuments(f *testing.F) {
	for _, s := range []string{
		`<Delete><Object><Key>k</Key></Object></Delete>`, `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part></CompleteMultipartUpload>`,
		`<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`,
		`<BucketLoggingStatus><LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/></LoggingEnabled></BucketLoggingStatus>`,
		`<CreateBucketConfiguration><LocationConstraint>eu</LocationConstraint></CreateBucketConfiguration>`,
		`<AccessControlPolicy><AccessControlList><Grant><Grantee><ID>x</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>`,
		`<a>`, ``, `<!DOCTYPE x [<!ENTITY a "aaaa">]><Delete>&a;</Delete>`, "\xff\xfe", `{"Version":"2012-10-17"}`,
	} {
		f.Add(s)
	}
	e := start(f, settings{})
	e.bucket("media", "k", "x")
	check(f, e.objects.PutBucketPolicy(context.Background(), local(e), "media", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::media","arn:aws:s3:::media/*"]}]}`), true))
	f.Fuzz(func(t *testing.T, body string) {
		for _, r := range [][2]string{
			{"POST", "/media?delete"}, {"POST", "/media/k?uploadId=1"}, {"PUT", "/media?cors"}, {"PUT", "/media?logging"}, {"PUT", "/media?notification"}, {"PUT", "/media"}, {"PUT", "/media?acl"}, {"PUT", "/media/k?acl"},
		} {
			req, err := http.NewRequest(r[0], e.url+r[1], strings.NewReader(body))
			check(t, err)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatalf("%s %s: %v", r[0], r[1], err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode >= 500 {
				t.Errorf("%s %s with %q: %d", r[0], r[1], body, res.StatusCode)
			}
		}
	})
}
