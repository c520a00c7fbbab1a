package external

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fiducial/test/boot"
)

// The peers are programs of their own, under licences of their own (MinIO:
// AGPL-3.0). They are run beside the tests and never linked. A test takes
//
//	MinIO      FIDUCIAL_MINIO, or minio on PATH, or with FIDUCIAL_PEERS=1 one that
//	           it builds once from the Go module proxy (some minutes)
//	SeaweedFS  FIDUCIAL_WEED, or weed on PATH: its dependencies cannot all be had
//	           from the module proxy
//
// and is skipped where there is none.

// minioModule is the last version of the community edition.
const minioModule = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"

func peer(t *testing.T, variable, name, module string) string {
	t.Helper()
	if p := os.Getenv(variable); p != "" {
		return p
	}
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(cache, "fiducial-peers")
	if _, err := os.Stat(filepath.Join(bin, name)); err == nil {
		return filepath.Join(bin, name)
	}
	if module == "" || os.Getenv("FIDUCIAL_PEERS") == "" {
		how := variable + " names one"
		if module != "" {
			how += ", or FIDUCIAL_PEERS=1 builds it"
		}
		fmt.Fprintf(os.Stderr, "SKIPPED: there is no %s to test against; %s\n", name, how)
		t.Skipf("there is no %s; %s", name, how)
	}
	c := exec.Command("go", "install", module)
	c.Env, c.Dir = append(os.Environ(), "GOBIN="+bin, "GOFLAGS="), t.TempDir()
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", module, err, out)
	}
	return filepath.Join(bin, name)
}

// run runs a peer for as long as the test lasts and waits until it answers.
func run(t *testing.T, c *exec.Cmd, at string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if b, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s:\n%s", c.Path, b[max(0, len(b)-8000):])
		}
	})
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if conn, err := net.DialTimeout("tcp", at, time.Second); err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(log.Name())
			t.Fatalf("%s does not answer at %s:\n%s", c.Path, at, b)
		}
	}
}

const (
	peerKey    = "fiducialkey"
	peerSecret = "fiducial-secret-key"
)

var peerEnv = []string{"STORE_KEY=" + peerKey, "STORE_SECRET=" + peerSecret}

// makeBuckets makes input and output at a store, and shows that it is ready.
func makeBuckets(t *testing.T, endpoint string) {
	t.Helper()
	for _, b := range []string{"input", "output"} {
		var err error
		for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
			c := exec.Command("aws", "s3api", "create-bucket", "--bucket", b, "--endpoint-url", endpoint)
			c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ACCESS_KEY_ID=" + peerKey, "AWS_SECRET_ACCESS_KEY=" + peerSecret,
				"AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "PYTHONWARNINGS=ignore"}
			out, oerr := c.CombinedOutput()
			if err = oerr; err == nil || strings.Contains(string(out), "BucketAlready") {
				err = nil
				break
			}
			err = fmt.Errorf("%w: %s", err, out)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func minio(t *testing.T) string {
	t.Helper()
	at := boot.FreePorts(t, "127.0.0.1", 1)[0]
	c := exec.Command(peer(t, "FIDUCIAL_MINIO", "minio", minioModule), "server", "--quiet", "--address", at, t.TempDir())
	c.Env = []string{"MINIO_UPDATE=off", "MINIO_BROWSER=off", "MINIO_ROOT_USER=" + peerKey, "MINIO_ROOT_PASSWORD=" + peerSecret, "HOME=" + t.TempDir()}
	run(t, c, at)
	makeBuckets(t, "http://"+at)
	return "http://" + at
}

var boxes = boot.Job{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 2, Workers: 1, TimeLimit: 600}

// finish labels what is left and looks at the output.
func (s *scene) finish(t *testing.T) {
	t.Helper()
	s.submit(t)
	s.open(t, "boxes")
	s.submit(t)
	status := s.AwaitJob("boxes", time.Minute, "Completed", "Failed")
	if status.LabelingJobStatus != "Completed" {
		t.Fatalf("the job: %+v", status)
	}
	if lines := s.Manifest(status.LabelingJobOutput.OutputDatasetS3Uri); len(lines) != 2 || lines[1]["label"] == nil {
		t.Errorf("the manifest: %v", lines)
	}
}

// MinIO opens a bound URL to whoever writes the right address into one of four
// headers. It is found out, and media pass through this server, where none of
// them helps.
func TestMinIOIsFoundOut(t *testing.T) {
	t.Parallel()
	endpoint := minio(t)
	file := bucketsAt(t, "minio", endpoint, "")
	s := begin(t, file, peerEnv, "the store does not bind media to an address", boxes)
	s.open(t, "boxes")
	s.leadsTo(t, s.API)
	s.bound(t, s.media[0])
	table, err := verify(t, s.Server, file, peerEnv, "--bucket", "input")
	if err == nil {
		t.Error("verify finds nothing")
	}
	for _, forged := range []string{"X-Real-IP: 203.0.113.77 ", "X-Forwarded-For: 203.0.113.77 ", "Forwarded: for=203.0.113.77 ", "SourceIp: 203.0.113.77 "} {
		row := ""
		for line := range strings.SplitSeq(table, "\n") {
			if strings.Contains(line, "from here with "+forged) {
				row = line
			}
		}
		if !strings.Contains(row, "OPENED") {
			t.Errorf("MinIO is not known to refuse %s; the row is %q", forged, row)
		}
	}
	if !strings.Contains(table, "fix: MinIO believes") {
		t.Errorf("the table tells no way out:\n%s", table)
	}
	t.Logf("\n%s", table)
	s.finish(t)
}

// Behind a proxy that deletes the four headers and tells MinIO the address
// itself, MinIO binds, and media come from it directly.
func TestMinIOBehindAProxyThatMendsIt(t *testing.T) {
	t.Parallel()
	inner, err := url.Parse(minio(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = inner.Scheme, inner.Host, r.In.Host
		for _, h := range []string{"X-Real-Ip", "X-Forwarded-For", "Forwarded", "Sourceip"} {
			r.Out.Header.Del(h)
		}
		addr, _, _ := net.SplitHostPort(r.In.RemoteAddr)
		r.Out.Header.Set("X-Real-Ip", addr)
	}})
	defer proxy.Close()
	file := bucketsAt(t, "minio", proxy.URL, "")
	s := begin(t, file, peerEnv, "media of the bucket open at its store", boxes)
	s.open(t, "boxes")
	s.leadsTo(t, proxy.URL)
	s.bound(t, s.media[0])
	if table, err := verify(t, s.Server, file, peerEnv, "--bucket", "input"); err != nil {
		t.Errorf("verify: %v\n%s", err, table)
	}
	s.finish(t)
}

// A store whose STS does not answer is no store for direct URLs.
func TestNoSTS(t *testing.T) {
	t.Parallel()
	store, _ := keep(t, boot.Options{})
	env := []string{"STORE_KEY=" + boot.AccessKeyID, "STORE_SECRET=" + boot.SecretAccessKey}
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	s := begin(t, bucketsAt(t, "minio", store.API, ", sts-endpoint: '"+away.URL+"', attempts: 1"), env, "not trusted with direct URLs", boxes)
	s.open(t, "boxes")
	s.leadsTo(t, s.API)
	s.bound(t, s.media[0])
}

// seaweed is SeaweedFS with one user, who may do everything, and a role that
// the user may assume.
func seaweed(t *testing.T) string {
	t.Helper()
	bin := peer(t, "FIDUCIAL_WEED", "weed", "")
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	users := write("s3.json", fmt.Sprintf(`{"identities":[{"name":"fiducial","credentials":[{"accessKey":%q,"secretKey":%q}],"actions":["Admin","Read","Write","List","Tagging"]}]}`, peerKey, peerSecret))
	iam := write("iam.json", `{
 "sts":{"tokenDuration":"1h","maxSessionLength":"12h","issuer":"seaweedfs-sts","signingKey":"dGVzdC1zaWduaW5nLWtleS0zMi1jaGFyYWN0ZXJzLWxvbmc="},
 "policy":{"defaultEffect":"Deny","storeType":"memory"},
 "policies":[{"name":"Buckets","document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*","arn:aws:s3:::*/*"]}]}}],
 "roles":[{"roleName":"store","roleArn":"arn:aws:iam::000000000000:role/store","trustPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["sts:AssumeRole"]}]},"attachedPolicies":["Buckets"]}]}`)
	ports := boot.FreePorts(t, "127.0.0.1", 8)
	port := func(i int) string { _, p, _ := net.SplitHostPort(ports[i]); return p }
	c := exec.CommandContext(context.Background(), bin, "server", "-dir="+dir, "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
		"-master.port="+port(0), "-master.port.grpc="+port(1), "-volume.port="+port(2), "-volume.port.grpc="+port(3), "-filer.port="+port(4), "-filer.port.grpc="+port(5),
		"-volume.max=20", "-master.volumeSizeLimitMB=64", "-s3", "-s3.port="+port(6), "-s3.port.grpc="+port(7), "-s3.config="+users, "-s3.iam.config="+iam)
	c.Env, c.Dir = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, dir
	run(t, c, ports[6])
	makeBuckets(t, "http://"+ports[6])
	return "http://" + ports[6]
}

// SeaweedFS up to 4.44 believes two headers from clients on private addresses.
func TestSeaweedFSIsFoundOut(t *testing.T) {
	t.Parallel()
	endpoint := seaweed(t)
	file := bucketsAt(t, "seaweedfs", endpoint, storeRole)
	s := begin(t, file, peerEnv, "pass through this server", boxes)
	s.open(t, "boxes")
	s.leadsTo(t, s.API)
	s.bound(t, s.media[0])
	table, err := verify(t, s.Server, file, peerEnv, "--bucket", "input")
	t.Logf("%v\n%s", err, table)
	if err == nil || !strings.Contains(table, "fix: SeaweedFS up to 4.44") {
		t.Errorf("verify: %v", err)
	}
	s.finish(t)
}
