// Package scene is one team's story, line by line, against the real server: a
// bucket whose policy demands a VPC, workers at home and in the office, and the
// question where to write an IP range. And it holds explanations to what happens.
package scene

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

var (
	ana = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}
	ben = boot.Account{Email: "ben@example.com", Password: "Battery-staple-2"}
)

// Who is who on the loopback interface.
const (
	home   = "127.0.0.1"
	cafe   = "127.0.0.2"
	office = "127.1.0.9" // in vpc-0a, through vpce-0a
	branch = "127.2.0.9" // in vpc-0b, through vpce-0b
)

const roleName = "GroundTruthExecution"

// world is a server with two VPCs of loopback addresses, each with an endpoint
// that leads to portal and media.
type world struct {
	*boot.Server
	t       testing.TB
	ways    map[string]way
	workers map[string]*boot.Worker // by e-mail and way
	keyID   string                  // of seal
}

// way is how a browser reaches the server: its address, and the endpoint's
// listeners where it goes through one.
type way struct {
	from, via   string
	api, portal string // host:port of the endpoint's listeners; "" for the public ones
}

func newWorld(t testing.TB, setup boot.Setup) *world {
	t.Helper()
	a, b := boot.FreePorts(t, "127.1.0.5", 2), boot.FreePorts(t, "127.2.0.5", 2)
	settings := filepath.Join(t.TempDir(), "networks.yaml")
	text := fmt.Sprintf(`
vpcs:
  - id: vpc-0a
    subnets: {subnet-0a1: [127.1.0.0/24]}
    endpoints: [{id: vpce-0a, api-addr: "%s", portal-addr: "%s"}]
  - id: vpc-0b
    subnets: {subnet-0b1: [127.2.0.0/24]}
    endpoints: [{id: vpce-0b, api-addr: "%s", portal-addr: "%s"}]
`, a[0], a[1], b[0], b[1])
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{Server: boot.Start(t, boot.Options{Args: []string{"--networks", settings}}), t: t, workers: map[string]*boot.Worker{}}
	w.ways = map[string]way{
		home: {from: home}, cafe: {from: cafe},
		office: {office, "vpce-0a", a[0], a[1]}, branch: {branch, "vpce-0b", b[0], b[1]},
	}
	w.Make(setup)
	return w
}

// client is a browser on the way; the URL's host stays what it is.
func (w *world) client(at string) *http.Client {
	p := w.ways[at]
	public := map[string]string{strings.TrimPrefix(w.API, "http://"): p.api, strings.TrimPrefix(w.Portal, "http://"): p.portal}
	d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(p.from)}}
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if to := public[addr]; to != "" {
				addr = to
			}
			return d.DialContext(ctx, network, addr)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// worker is somebody signed in at a place; the session is kept.
func (w *world) worker(who boot.Account, at string) (*boot.Worker, error) {
	name := who.Email + " " + at
	if k := w.workers[name]; k != nil {
		if _, status, err := k.Page("/"); err == nil && status == 200 {
			return k, nil
		}
	}
	k, err := boot.SignInOver(w.Portal, w.client(at), who.Email, who.Password)
	if err == nil {
		w.workers[name] = k
	}
	return k, err
}

// get opens a media URL from a place.
func (w *world) get(at, media string) (int, []byte) {
	w.t.Helper()
	res, err := w.client(at).Get(media)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, b
}

// open takes the worker's task and returns its assignment and its one media URL,
// "" if there is none.
func (w *world) open(who boot.Account, at, job string) (k *boot.Worker, assignment, media string) {
	w.t.Helper()
	k, err := w.worker(who, at)
	if err != nil {
		return nil, "", ""
	}
	if assignment, err = k.Start(job); err != nil || assignment == "" {
		return k, "", ""
	}
	_, urls, err := k.Frame(assignment)
	if err != nil || len(urls) != 1 {
		return k, assignment, ""
	}
	return k, assignment, urls[0]
}

// aws runs the AWS CLI.
func (w *world) aws(args ...string) string {
	w.t.Helper()
	return strings.TrimSpace(boot.Must(w.t)(w.AWS(args...)))
}

// api calls a JSON 1.1 operation as root.
func (w *world) api(service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return w.send(service, "POST", "/", map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}, body, out)
}

// iam calls an IAM operation on the execution role as root.
func (w *world) iam(action string, members ...string) {
	w.t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}, "RoleName": {roleName}}
	for i := 0; i < len(members); i += 2 {
		form.Set(members[i], members[i+1])
	}
	w.ok(w.send("iam", "POST", "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, []byte(form.Encode()), nil))
}

// s3 writes to S3 as root.
func (w *world) s3(method, path string, body []byte) {
	w.t.Helper()
	if err := w.send("s3", method, path, nil, body, nil); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) send(service, method, path string, header map[string]string, body []byte, out any) error {
	req, err := http.NewRequest(method, w.API+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	s := signer.NewSigner(func(o *signer.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := s.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: boot.AccessKeyID, SecretAccessKey: boot.SecretAccessKey}, req, hash, service, boot.Region, time.Now()); err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d: %s", method, header["X-Amz-Target"], res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// fiducial runs the command and returns what it printed and its exit status.
func (w *world) fiducial(args ...string) (string, int) {
	w.t.Helper()
	return w.fiducialAs(nil, args...)
}

// fiducialAs runs the command with more variables, which win.
func (w *world) fiducialAs(env []string, args ...string) (string, int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := boot.Command(ctx, args...)
	c.Env = append(w.ClientEnv(), "PATH="+os.Getenv("PATH"))
	c.Env = append(c.Env, env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// bucketPolicy sets the policy of the input bucket; "" removes it.
func (w *world) bucketPolicy(doc string) {
	w.t.Helper()
	if doc == "" {
		w.s3("DELETE", "/input?policy", nil)
		return
	}
	w.s3("PUT", "/input?policy", []byte(doc))
}

// team sets the binding of the work team.
func (w *world) team(sourceIP, vpcSourceIP bool) {
	w.t.Helper()
	word := map[bool]string{true: "Enabled", false: "Disabled"}
	w.ok(w.api("sagemaker", "SageMaker.UpdateWorkteam", map[string]any{"WorkteamName": "team", "WorkerAccessConfiguration": map[string]any{
		"S3Presign": map[string]any{"IamPolicyConstraints": map[string]any{"SourceIp": word[sourceIP], "VpcSourceIp": word[vpcSourceIP]}}}}, nil))
}

// workforce sets where workers may come from, and waits until it is so.
func (w *world) workforce(cidrs []string, vpc string) {
	w.t.Helper()
	if cidrs == nil {
		cidrs = []string{} // none: from anywhere
	}
	in := map[string]any{"WorkforceName": "workforce", "SourceIpConfig": map[string]any{"Cidrs": cidrs}, "WorkforceVpcConfig": map[string]any{}}
	if vpc != "" {
		in["WorkforceVpcConfig"] = map[string]any{"VpcId": vpc, "SecurityGroupIds": []string{"sg-0a"}, "Subnets": []string{"subnet-" + strings.TrimPrefix(vpc, "vpc-") + "1"}}
	}
	w.ok(w.api("sagemaker", "SageMaker.UpdateWorkforce", in, nil))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var out struct{ Workforce struct{ Status string } }
		w.ok(w.api("sagemaker", "SageMaker.DescribeWorkforce", map[string]string{"WorkforceName": "workforce"}, &out))
		if out.Workforce.Status == "Active" {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the workforce is %s", out.Workforce.Status)
		}
	}
}

// seal copies the one object onto itself under a key of its own, which the role may use.
func (w *world) seal() {
	w.t.Helper()
	var made struct{ KeyMetadata struct{ KeyId string } }
	w.ok(w.api("kms", "TrentService.CreateKey", map[string]string{}, &made))
	w.keyID = made.KeyMetadata.KeyId
	w.iam("PutRolePolicy", "PolicyName", "labeling", "PolicyDocument", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:Decrypt"],"Resource":"*"}]}`)
	w.ok(w.send("s3", "PUT", "/input/boxes/0.jpg", map[string]string{"x-amz-copy-source": "/input/boxes/0.jpg", "x-amz-server-side-encryption": "aws:kms",
		"x-amz-server-side-encryption-aws-kms-key-id": w.keyID}, nil, nil))
}

func (w *world) keyState(operation string) {
	w.t.Helper()
	w.ok(w.api("kms", "TrentService."+operation, map[string]string{"KeyId": w.keyID}, nil))
}

func (w *world) keyPolicy(doc string) {
	w.t.Helper()
	w.ok(w.api("kms", "TrentService.PutKeyPolicy", map[string]string{"KeyId": w.keyID, "PolicyName": "default", "Policy": doc}, nil))
}

// The recipes of bucket policies. The engine's own sessions are exempt: it reads
// the manifest from no VPC. Their names begin with GroundTruth-, a worker's never do.
const engineExempt = `"StringNotLike":{"aws:userid":"*:GroundTruth-*"}`

func denyUnless(sid, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"` + sid + `","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::input/*",
		"Condition":{` + condition + `,` + engineExempt + `}}]}`
}
