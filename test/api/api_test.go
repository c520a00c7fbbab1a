// Package api tests the AWS-shaped API from outside: the real server, driven by
// the unmodified AWS CLI and boto3.
package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

//go:embed testdata/common.py
var common string

//go:embed testdata/cognito.py
var cognito string

//go:embed testdata/sagemaker.py
var sagemaker string

func TestBoto3(t *testing.T) {
	for name, program := range map[string]string{"cognito": cognito, "sagemaker": sagemaker} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := boot.Start(t, boot.Options{Args: []string{"--networks", networks(t)}})
			boot.Must(t)(s.Python(common + program))
		})
	}
}

// networks is a declared VPC whose endpoint's listener takes any port.
func networks(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "networks.yaml")
	if err := os.WriteFile(path, []byte(`vpcs:
  - id: vpc-1
    subnets: {subnet-1: [10.1.0.0/24, "2001:db8:1:2::/64"]}
    security-groups: {sg-1: [10.1.0.0/24, "2001:db8:1:2::/64"]}
    endpoints:
      - id: vpce-1
        portal-addr: 127.0.0.1:0
`), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The documented way of building a private workforce, call by call.
func TestCLI(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	run := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(boot.Must(t)(s.AWS(append(args, "--output", "text")...)))
	}
	refused := func(words string, args ...string) {
		t.Helper()
		out, err := s.AWS(args...)
		// Version 2 of the CLI says how often it has tried.
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), " (reached max retries: 0)", ""), words) {
			t.Errorf("%s: %v %s; want %q", strings.Join(args, " "), err, out, words)
		}
	}
	pool := run("cognito-idp", "create-user-pool", "--pool-name", "workers", "--query", "UserPool.Id")
	client := run("cognito-idp", "create-user-pool-client", "--user-pool-id", pool, "--client-name", "portal", "--generate-secret",
		"--explicit-auth-flows", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH",
		"--allowed-o-auth-flows", "code", "--allowed-o-auth-scopes", "openid", "--supported-identity-providers", "COGNITO", "--query", "UserPoolClient.ClientId")
	run("cognito-idp", "create-user-pool-domain", "--user-pool-id", pool, "--domain", "fiducial-workers")
	run("cognito-idp", "create-group", "--user-pool-id", pool, "--group-name", "annotators")
	run("cognito-idp", "admin-create-user", "--user-pool-id", pool, "--username", "ann@example.org", "--temporary-password", "Temp0rary!word",
		"--message-action", "SUPPRESS", "--user-attributes", "Name=email,Value=ann@example.org", "Name=email_verified,Value=true")
	run("cognito-idp", "admin-add-user-to-group", "--user-pool-id", pool, "--username", "ann@example.org", "--group-name", "annotators")
	run("sagemaker", "create-workforce", "--workforce-name", "people", "--cognito-config", fmt.Sprintf("UserPool=%s,ClientId=%s", pool, client))
	run("sagemaker", "create-workteam", "--workteam-name", "birders", "--workforce-name", "people", "--description", "those who know birds",
		"--member-definitions", fmt.Sprintf(`[{"CognitoMemberDefinition":{"UserPool":%q,"UserGroup":"annotators","ClientId":%q}}]`, pool, client),
		"--worker-access-configuration", `S3Presign={IamPolicyConstraints={SourceIp=Enabled}}`, "--tags", "Key=project,Value=birds")
	if got := run("sagemaker", "describe-workteam", "--workteam-name", "birders", "--query",
		"Workteam.WorkerAccessConfiguration.S3Presign.IamPolicyConstraints.SourceIp"); got != "Enabled" {
		t.Errorf("the team's access rule is %q", got)
	}
	run("sagemaker", "update-workforce", "--workforce-name", "people", "--source-ip-config", "Cidrs=127.0.0.0/8,::1/128")
	if got := run("sagemaker", "list-workforces", "--query", "Workforces[].[WorkforceName,Status]"); got != "people\tActive" {
		t.Errorf("workforces: %q", got)
	}
	if got := run("cognito-idp", "list-users-in-group", "--user-pool-id", pool, "--group-name", "annotators", "--query", "Users[].UserStatus"); got != "FORCE_CHANGE_PASSWORD" {
		t.Errorf("the user is %q", got)
	}
	var seen struct{ Arn, Account string }
	if err := json.Unmarshal([]byte(boot.Must(t)(s.AWS("sts", "get-caller-identity"))), &seen); err != nil || !strings.HasSuffix(seen.Arn, ":root") {
		t.Errorf("caller %+v: %v", seen, err)
	}

	refused("(ValidationException) when calling the DescribeWorkteam operation: The work team", "sagemaker", "describe-workteam", "--workteam-name", "nobody")
	refused("(ValidationException) when calling the DescribeWorkforce operation: No workforce", "sagemaker", "describe-workforce", "--workforce-name", "nobody")
	refused("(ResourceNotFound) when calling the DescribeLabelingJob", "sagemaker", "describe-labeling-job", "--labeling-job-name", "nobody")
	refused("(ResourceInUse) when calling the DeleteWorkforce", "sagemaker", "delete-workforce", "--workforce-name", "people")
	refused("(UnknownOperationException)", "sagemaker", "list-models")
	refused("(UsernameExistsException)", "cognito-idp", "admin-create-user", "--user-pool-id", pool, "--username", "ANN@example.org")
	refused("(InvalidPasswordException)", "cognito-idp", "admin-set-user-password", "--user-pool-id", pool, "--username", "ann@example.org", "--password", "short", "--permanent")
	out, err := s.AWSAs([]string{"AWS_SECRET_ACCESS_KEY=guess"}, "sagemaker", "list-workteams")
	if err == nil || !strings.Contains(err.Error(), "(InvalidSignatureException)") {
		t.Errorf("with a wrong secret: %v %s", err, out)
	}
	out, err = s.AWSAs([]string{"AWS_DEFAULT_REGION=eu-west-1", "AWS_REGION=eu-west-1"}, "sagemaker", "list-workteams", "--query", "Workteams[].WorkteamName", "--output", "text")
	if err != nil || strings.TrimSpace(out) != "birders" {
		t.Errorf("AWS_ENDPOINT_URL is all that a client needs, whatever its region: %v %s", err, out)
	}
}

// Many clients create the same thing at once: one of them does.
func TestParallelCreation(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{{Email: "ann@example.org", Password: "Str0ng!passw0rd"}},
		Jobs: []boot.Job{{Name: "first", Function: "TextMultiClass", Labels: []string{"a", "b"}, Objects: 1, Workers: 1, Text: true}}})
	var wg sync.WaitGroup
	outs := make([]string, 3)
	for i := range outs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			outs[i], _ = s.Python(common + race)
		}()
	}
	wg.Wait()
	made := 0
	for _, o := range outs {
		var n int
		if _, err := fmt.Sscan(o, &n); err != nil {
			t.Fatalf("%q: %v", outs, err)
		}
		made += n
	}
	if made != raceRounds {
		t.Errorf("%d names, %d jobs", raceRounds, made)
	}
}

const raceRounds = 12

// race tries to create jobs of the same names, spelled in any case, from eight
// threads, and prints how many it made.
const race = `
import concurrent.futures, random
made = sm.describe_labeling_job(LabelingJobName="first")
ask = {k: made[k] for k in ("LabelAttributeName", "InputConfig", "RoleArn", "LabelCategoryConfigS3Uri", "HumanTaskConfig")}
ask["OutputConfig"] = {"S3OutputPath": made["OutputConfig"]["S3OutputPath"]}
def one(name):
    try:
        sm.create_labeling_job(LabelingJobName="".join(random.choice((c.upper(), c)) for c in name), **ask)
        return 1
    except sm.exceptions.ResourceInUse:
        return 0
names = ["race-%d" % i for i in range(12)] * 2
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(one, names)))
`
