package journey

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"fiducial/internal/store/storetest"
	"fiducial/test/boot"
)

// replicas are two servers over one PostgreSQL database and one folder of object
// bytes. Media URLs are signed for the first; a load balancer would send their
// requests to either.
type replicas struct{ a, b *boot.Server }

func newReplicas(t *testing.T) replicas {
	t.Helper()
	api := boot.FreePorts(t, "127.0.0.1", 1)[0]
	rootKey := base64.StdEncoding.EncodeToString([]byte("a root key of thirty-two bytes!!"))
	o := boot.Options{
		Args: []string{"--blobs-dir", filepath.Join(t.TempDir(), "blobs"), "--public-api-url", "http://" + api},
		Env:  []string{"FIDUCIAL_DATABASE_URL=" + storetest.PostgresURL(t), "FIDUCIAL_ROOT_KEY=" + rootKey},
	}
	return replicas{boot.Start(t, o), boot.Start(t, o)}
}

// clients are SDK clients, which say that a thing is done as soon as it is: the
// AWS CLI takes a second more.
func clients(s *boot.Server) (*cognitoidentityprovider.Client, *sagemaker.Client) {
	c := aws.Config{Region: boot.Region, BaseEndpoint: aws.String(s.API),
		Credentials: credentials.NewStaticCredentialsProvider(boot.AccessKeyID, boot.SecretAccessKey, "")}
	return cognitoidentityprovider.NewFromConfig(c), sagemaker.NewFromConfig(c)
}

func pool(t *testing.T, idp *cognitoidentityprovider.Client) *string {
	t.Helper()
	out, err := idp.ListUserPools(t.Context(), &cognitoidentityprovider.ListUserPoolsInput{MaxResults: aws.Int32(1)})
	must(t, err)
	return out.UserPools[0].Id
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at opens a URL at one of the servers, whatever host the URL names.
func at(t *testing.T, s *boot.Server, rawURL string) int {
	t.Helper()
	u, err := url.Parse(s.API)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, u.Host)
		}}}
	res, err := c.Get(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

// Whatever ends the reason of a grant at one replica ends the grant at the other
// within a second. Each cause has a worker of its own, whose URL works at both
// replicas before.
func TestGrantsDieOnEveryReplica(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	var workers []boot.Account
	account := func(name string) boot.Account {
		a := boot.Account{Email: name + "@example.com", Password: "Correct-horse-1"}
		workers = append(workers, a)
		return a
	}
	answer := map[string]any{"boundingBox": map[string]any{"boundingBoxes": []any{}, "inputImageProperties": map[string]int{"height": 240, "width": 320}}}
	idp, sm := clients(r.a)
	post := func(what string, body any) func(*testing.T, *boot.Worker, string) {
		return func(t *testing.T, w *boot.Worker, assignment string) {
			t.Helper()
			if status, _, err := w.Post(assignment, what, body); err != nil || status != http.StatusOK {
				t.Fatalf("%s: %d, %v", what, status, err)
			}
		}
	}
	revoke := func(what ...string) func(*testing.T, *boot.Worker, string) {
		return func(t *testing.T, _ *boot.Worker, _ string) {
			c := boot.Command(t.Context(), append([]string{"access", "revoke", "--reason", "test"}, what...)...)
			c.Env = append(c.Env, r.a.ClientEnv()...)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
	}
	causes := []struct {
		name string
		who  boot.Account
		job  string
		end  func(t *testing.T, w *boot.Worker, assignment string)
	}{
		{"submitted", account("submits"), "boxes", post("submit", map[string]any{"answer": answer})},
		{"released", account("releases"), "boxes", post("release", struct{}{})},
		{"declined", account("declines"), "boxes", post("decline", struct{}{})},
		{"expired", account("sleeps"), "short", func(*testing.T, *boot.Worker, string) { time.Sleep(30 * time.Second) }},
		{"signed out", account("leaves"), "boxes", func(t *testing.T, w *boot.Worker, _ string) {
			res, err := w.Do("POST", "/signout", "application/x-www-form-urlencoded", strings.NewReader(w.Form()))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusSeeOther {
				t.Fatalf("sign out: %d", res.StatusCode)
			}
		}},
		{"worker disabled", account("disabled"), "boxes", func(t *testing.T, _ *boot.Worker, _ string) {
			_, err := idp.AdminDisableUser(t.Context(), &cognitoidentityprovider.AdminDisableUserInput{UserPoolId: pool(t, idp), Username: aws.String("disabled@example.com")})
			must(t, err)
		}},
		{"worker removed from the group", account("removed"), "boxes", func(t *testing.T, _ *boot.Worker, _ string) {
			_, err := idp.AdminRemoveUserFromGroup(t.Context(), &cognitoidentityprovider.AdminRemoveUserFromGroupInput{
				UserPoolId: pool(t, idp), Username: aws.String("removed@example.com"), GroupName: aws.String("annotators")})
			must(t, err)
		}},
		{"worker deleted", account("deleted"), "boxes", func(t *testing.T, _ *boot.Worker, _ string) {
			_, err := idp.AdminDeleteUser(t.Context(), &cognitoidentityprovider.AdminDeleteUserInput{UserPoolId: pool(t, idp), Username: aws.String("deleted@example.com")})
			must(t, err)
		}},
		{"job stopped", account("stops"), "stopped", func(t *testing.T, _ *boot.Worker, _ string) {
			_, err := sm.StopLabelingJob(t.Context(), &sagemaker.StopLabelingJobInput{LabelingJobName: aws.String("stopped")})
			must(t, err)
		}},
		{"revoked by worker", account("revoked"), "boxes", revoke("--worker", "revoked@example.com")},
		{"revoked by job", account("revoked2"), "boxes", revoke("--job", "boxes")},
		{"revoked by object", account("revoked3"), "single", revoke("--object", "s3://input/single/0.jpg")},
		{"everything revoked", account("revoked4"), "boxes", revoke("--all")},
		{"work team's access changed", account("teams"), "boxes", func(t *testing.T, _ *boot.Worker, _ string) {
			_, err := sm.UpdateWorkteam(t.Context(), &sagemaker.UpdateWorkteamInput{WorkteamName: aws.String("team"),
				WorkerAccessConfiguration: &types.WorkerAccessConfiguration{S3Presign: &types.S3Presign{
					IamPolicyConstraints: &types.IamPolicyConstraints{SourceIp: "Enabled", VpcSourceIp: "Enabled"}}}})
			must(t, err)
		}},
	}
	picture := boot.Picture(t, 320, 240)
	job := func(name string, objects, limit int) boot.Job {
		return boot.Job{Name: name, Function: "BoundingBox", Labels: []string{"Red square"}, Objects: objects, Workers: 1, Picture: picture, TimeLimit: limit}
	}
	r.a.Make(boot.Setup{Workers: workers, SourceIP: true, Jobs: []boot.Job{job("boxes", 16, 600), job("short", 1, 30), job("stopped", 1, 600), job("single", 1, 600)}})

	for _, c := range causes {
		t.Run(c.name, func(t *testing.T) {
			w, err := boot.NewWorker(r.a.Portal, "127.0.0.1", c.who.Email, c.who.Password)
			if err != nil {
				t.Fatal(err)
			}
			assignment, err := w.Start(c.job)
			if err != nil || assignment == "" {
				t.Fatalf("start: %q, %v", assignment, err)
			}
			_, media, err := w.Frame(assignment)
			if err != nil || len(media) != 1 {
				t.Fatalf("%d media URLs, %v", len(media), err)
			}
			for name, s := range map[string]*boot.Server{"the replica that made it": r.a, "the other replica": r.b} {
				if status := at(t, s, media[0]); status != http.StatusOK {
					t.Fatalf("before, at %s: status %d", name, status)
				}
			}
			c.end(t, w, assignment)
			dead := func(s *boot.Server) time.Duration {
				ended := time.Now()
				for at(t, s, media[0]) == http.StatusOK {
					if time.Since(ended) > 20*time.Second {
						t.Fatal("the URL goes on opening")
					}
					time.Sleep(10 * time.Millisecond)
				}
				return time.Since(ended)
			}
			other := dead(r.b)
			own := dead(r.a)
			t.Logf("dead at the other replica %v after it was told, at its own at most %v", other.Round(time.Millisecond), (other + own).Round(time.Millisecond))
			if other > time.Second || own > time.Second {
				t.Error("that is more than a second")
			}
			awaitStatus(t, func() int { return at(t, r.b, media[0]) }, http.StatusForbidden)
		})
	}
}

// awaitStatus waits for a status: a replica that cannot know whether a grant
// stands says 503 until it can.
func awaitStatus(t *testing.T, get func() int, want int) {
	t.Helper()
	var status int
	for range 100 {
		if status = get(); status == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("status %d, want %d", status, want)
}
