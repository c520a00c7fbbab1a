package s3

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fiducial/test/boot"
)

// file writes n bytes that no compressor or cache can fake.
func file(t *testing.T, path string, n int) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return sum(t, path)
}

func sum(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// The high-level commands of the AWS CLI, as a day's work uses them.
func TestCLI(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	must := boot.Must(t)
	dir := t.TempDir()
	small := file(t, dir+"/tree/a b.txt", 1000)
	file(t, dir+"/tree/sub/ü.bin", 70000)
	big := file(t, dir+"/big.bin", 20<<20) // above the CLI's threshold for multipart

	must(s.AWS("s3", "mb", "s3://pictures"))
	if out := must(s.AWS("s3", "ls")); !strings.Contains(out, " pictures") {
		t.Errorf("ls: %s", out)
	}
	must(s.AWS("s3", "cp", dir+"/big.bin", "s3://pictures/big.bin", "--metadata", "camera=x", "--content-type", "image/tiff"))
	must(s.AWS("s3", "cp", "s3://pictures/big.bin", dir+"/back.bin"))
	if sum(t, dir+"/back.bin") != big {
		t.Error("a large file came back changed")
	}
	head := must(s.AWS("s3api", "head-object", "--bucket", "pictures", "--key", "big.bin"))
	var h struct {
		ContentType, ETag string
		Metadata          map[string]string
		ContentLength     int
	}
	if err := json.Unmarshal([]byte(head), &h); err != nil || h.ContentType != "image/tiff" || h.Metadata["camera"] != "x" || h.ContentLength != 20<<20 || !strings.HasSuffix(h.ETag, `-3"`) {
		t.Errorf("head-object: %s", head)
	}
	must(s.AWS("s3", "sync", dir+"/tree", "s3://pictures/tree"))
	if out := must(s.AWS("s3", "sync", dir+"/tree", "s3://pictures/tree")); out != "" {
		t.Errorf("a second sync did something: %s", out)
	}
	must(s.AWS("s3", "sync", "s3://pictures/tree", dir+"/again"))
	if sum(t, dir+"/again/a b.txt") != small {
		t.Error("sync changed a file")
	}
	if out := must(s.AWS("s3", "ls", "s3://pictures/")); !strings.Contains(out, "PRE tree/") || !strings.Contains(out, "big.bin") {
		t.Errorf("ls of a bucket: %s", out)
	}
	if out := must(s.AWS("s3", "ls", "--recursive", "s3://pictures/tree/")); !strings.Contains(out, "tree/sub/ü.bin") {
		t.Errorf("recursive ls: %s", out)
	}
	must(s.AWS("s3", "cp", "s3://pictures/big.bin", "s3://pictures/copy.bin")) // by copying parts
	must(s.AWS("s3", "mv", "s3://pictures/copy.bin", "s3://pictures/moved.bin"))
	must(s.AWS("s3", "cp", "s3://pictures/moved.bin", dir+"/moved.bin"))
	if sum(t, dir+"/moved.bin") != big {
		t.Error("a copied and moved file changed")
	}
	url := strings.TrimSpace(must(s.AWS("s3", "presign", "s3://pictures/tree/a b.txt", "--expires-in", "60")))
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != 200 || fmt.Sprintf("%x", sha256.Sum256(body)) != small {
		t.Errorf("presigned: %d", res.StatusCode)
	}
	must(s.AWS("s3", "rm", "s3://pictures/tree/a b.txt"))
	must(s.AWS("s3", "rm", "--recursive", "s3://pictures/"))
	if out := must(s.AWS("s3", "ls", "--recursive", "s3://pictures/")); strings.TrimSpace(out) != "" {
		t.Errorf("left: %s", out)
	}
	must(s.AWS("s3", "rb", "s3://pictures"))
	if _, err := s.AWS("s3", "ls", "s3://pictures/"); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("ls of a bucket that is gone: %v", err)
	}
}

// The commands for single operations.
func TestCLIOperations(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	must := boot.Must(t)
	dir := t.TempDir()
	file(t, dir+"/f", 12)
	for _, args := range [][]string{
		{"create-bucket", "--bucket", "media"},
		{"create-bucket", "--bucket", "logs"},
		{"head-bucket", "--bucket", "media"},
		{"get-bucket-location", "--bucket", "media"},
		{"get-bucket-versioning", "--bucket", "media"},
		{"get-bucket-acl", "--bucket", "media"},
		{"put-object", "--bucket", "media", "--key", "k", "--body", dir + "/f", "--checksum-algorithm", "SHA256"},
		{"get-object", "--bucket", "media", "--key", "k", "--range", "bytes=2-5", "--checksum-mode", "ENABLED", dir + "/out"},
		{"get-object-acl", "--bucket", "media", "--key", "k"},
		{"copy-object", "--bucket", "media", "--key", "k2", "--copy-source", "media/k"},
		{"list-objects-v2", "--bucket", "media", "--max-items", "1"},
		{"list-object-versions", "--bucket", "media"},
		{"put-bucket-cors", "--bucket", "media", "--cors-configuration", `{"CORSRules":[{"AllowedOrigins":["*"],"AllowedMethods":["GET"]}]}`},
		{"get-bucket-cors", "--bucket", "media"},
		{"delete-bucket-cors", "--bucket", "media"},
		{"put-bucket-logging", "--bucket", "media", "--bucket-logging-status", `{"LoggingEnabled":{"TargetBucket":"logs","TargetPrefix":"m/"}}`},
		{"get-bucket-logging", "--bucket", "media"},
		{"put-bucket-policy", "--bucket", "media", "--policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`},
		{"get-bucket-policy", "--bucket", "media"},
		{"get-bucket-policy-status", "--bucket", "media"},
		{"delete-bucket-policy", "--bucket", "media"},
		{"delete-objects", "--bucket", "media", "--delete", `{"Objects":[{"Key":"k"},{"Key":"k2"}]}`},
		{"delete-bucket", "--bucket", "media"},
	} {
		must(s.AWS(append([]string{"s3api"}, args...)...))
	}
	// The access log is delivered at the latest when the server stops.
	s.Stop()
	s.Boot()
	keys := must(s.AWS("s3", "ls", "--recursive", "s3://logs/m/"))
	f := strings.Fields(strings.TrimSpace(keys))
	if len(f) < 4 {
		t.Fatalf("no log was delivered: %s", keys)
	}
	if log := must(s.AWS("s3", "cp", "s3://logs/"+f[3], "-")); !strings.Contains(log, "REST.DELETE.BUCKETPOLICY") || !strings.Contains(log, "arn:aws:iam::000000000000:root") {
		t.Errorf("the log: %s", log)
	}
}

// boto3's transfer manager with its defaults: 100 MB in parts, in parallel.
func TestBoto3(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	dir := t.TempDir()
	want := file(t, dir+"/100mb", 100<<20)
	boot.Must(t)(s.Python(`
import boto3, sys
from botocore.config import Config
src, dst = sys.argv[1:]
for style in ("path", "auto"):
    c = boto3.client("s3", config=Config(s3={"addressing_style": style}))
    bucket = "media-" + style
    c.create_bucket(Bucket=bucket)
    c.upload_file(src, bucket, "big", ExtraArgs={"ContentType": "video/mp4", "Metadata": {"a": "b"}})
    assert not c.list_multipart_uploads(Bucket=bucket).get("Uploads")
    h = c.head_object(Bucket=bucket, Key="big")
    assert h["ContentLength"] == 100 << 20 and h["ContentType"] == "video/mp4" and h["Metadata"] == {"a": "b"}, h
    c.download_file(bucket, "big", dst)
    c.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy")
    r = boto3.resource("s3").Bucket(bucket)
    assert sorted(o.key for o in r.objects.all()) == ["big", "copy"]
    r.objects.all().delete()
    c.delete_bucket(Bucket=bucket)
`, dir+"/100mb", dir+"/back"))
	if sum(t, dir+"/back") != want {
		t.Error("100 MB came back changed")
	}
}

// A presigned URL under a role that is limited to an address, made with nothing
// but the AWS CLI: it opens from that address, whatever headers say elsewhere.
func TestAddressBoundURL(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	must := boot.Must(t)
	dir := t.TempDir()
	file(t, dir+"/f", 4096)
	must(s.AWS("s3", "mb", "s3://media"))
	must(s.AWS("s3", "cp", dir+"/f", "s3://media/f"))
	must(s.AWS("iam", "create-user", "--user-name", "maker"))
	must(s.AWS("iam", "put-user-policy", "--user-name", "maker", "--policy-name", "p", "--policy-document", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`))
	var key struct {
		AccessKey struct{ AccessKeyID, SecretAccessKey string }
	}
	decode(t, must(s.AWS("iam", "create-access-key", "--user-name", "maker")), &key)
	must(s.AWS("iam", "create-role", "--role-name", "reader", "--assume-role-policy-document", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/maker"},"Action":"sts:AssumeRole"}]}`))
	must(s.AWS("iam", "put-role-policy", "--role-name", "reader", "--policy-name", "p", "--policy-document", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`))
	maker := []string{"AWS_ACCESS_KEY_ID=" + key.AccessKey.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + key.AccessKey.SecretAccessKey}
	var session struct {
		Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	decode(t, must(s.AWSAs(maker, "sts", "assume-role", "--role-arn", "arn:aws:iam::000000000000:role/reader", "--role-session-name", "worker",
		"--policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/f","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1"}}}]}`)), &session)
	c := session.Credentials
	url := strings.TrimSpace(must(s.AWSAs([]string{"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken}, "s3", "presign", "s3://media/f")))
	for _, x := range []struct {
		from   string
		header string
		want   int
	}{
		{"127.0.0.1", "", 200}, {"127.0.0.2", "", 403}, {"127.0.0.2", "X-Forwarded-For", 403}, {"127.0.0.2", "X-Real-IP", 403},
		{"127.0.0.2", "Forwarded", 403}, {"127.0.0.2", "True-Client-IP", 403}, {"127.0.0.2", "SourceIp", 403}, {"127.0.0.2", "X-Amz-Source-Ip", 403}, {"127.0.0.1", "", 200},
	} {
		d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(x.from)}}
		client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if x.header != "" {
			v := "127.0.0.1"
			if x.header == "Forwarded" {
				v = "for=127.0.0.1"
			}
			req.Header.Set(x.header, v)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != x.want {
			t.Errorf("from %s with %q: %d, want %d", x.from, x.header, res.StatusCode, x.want)
		}
	}
}

// The same through the whole server with a URL of Signature Version 4: whichever
// byte of its query is changed, the answer is 403 and has nothing of the object.
func TestEveryByteOfAPresignedURL(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	url := strings.TrimSpace(boot.Must(t)(s.Python(`
import boto3
from botocore.config import Config
c = boto3.client("s3", config=Config(signature_version="s3v4"))
c.create_bucket(Bucket="media")
c.put_object(Bucket="media", Key="k", Body=b"meow")
print(c.generate_presigned_url("get_object", Params={"Bucket": "media", "Key": "k"}))
`)))
	get := func(url string) (int, string) {
		res, err := http.Get(url)
		if err != nil {
			return 0, ""
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	if code, body := get(url); code != 200 || body != "meow" {
		t.Fatalf("the URL itself: %d %s", code, body)
	}
	for i := strings.IndexByte(url, '?') + 1; i < len(url); i++ {
		for _, b := range []byte{url[i] ^ 1, '%', '&', '=', 'Z'} {
			if b == url[i] || b <= ' ' || b == '#' || b >= 0x7f {
				continue
			}
			code, body := get(url[:i] + string(b) + url[i+1:])
			if code != 403 && code != 0 || strings.Contains(body, "meow") {
				t.Errorf("byte %d (%q for %q): %d %.200s", i, b, url[i], code, body)
			}
		}
	}
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
