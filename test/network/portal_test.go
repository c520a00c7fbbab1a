package network

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

var ana = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}

// described is what DescribeWorkforce says.
type described struct {
	Workforce struct {
		Status, IpAddressType string
		SourceIpConfig        struct{ Cidrs []string }
		WorkforceVpcConfig    *struct {
			VpcId, VpcEndpointId      string
			SecurityGroupIds, Subnets []string
		}
	}
}

func (w *world) describe(t *testing.T) (d described) {
	t.Helper()
	if err := json.Unmarshal([]byte(w.aws(t, "sagemaker", "describe-workforce", "--workforce-name", "workforce", "--output", "json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) awaitActive(t *testing.T) described {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		d := w.describe(t)
		if d.Workforce.Status == "Active" {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("the workforce is %s", d.Workforce.Status)
		}
	}
}

// The portal in a VPC, as an administrator sets it up with the AWS CLI: it then
// answers on the endpoint, ranges hold for the public side alone, and what the
// configuration does not have is refused by name.
func TestPortalInVPC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Make(boot.Setup{Workers: []boot.Account{ana}})
	inside, public := way{from: inVPC, to: w.portal}, way{from: outside}
	answers := func(by way, want int, words ...string) {
		t.Helper()
		status, body := by.get(t, w.Portal+"/signin")
		if status != want {
			t.Errorf("%+v: status %d, want %d: %s", by, status, want, body)
		}
		for _, word := range words {
			if !strings.Contains(body, word) {
				t.Errorf("%+v: the page lacks %q:\n%s", by, word, body)
			}
		}
	}
	update := func(args ...string) {
		t.Helper()
		w.aws(t, append([]string{"sagemaker", "update-workforce", "--workforce-name", "workforce"}, args...)...)
	}

	answers(inside, 404, "no WorkforceVpcConfig", "vpce-0portal", inVPC)
	answers(public, 200)

	for config, want := range map[string][]string{
		`{"VpcId":"vpc-0c","Subnets":["subnet-0a1"],"SecurityGroupIds":["sg-0a"]}`: {"ValidationException", "WorkforceVpcConfig.VpcId", "vpc-0a, vpc-0b"},
		`{"VpcId":"vpc-0a","Subnets":["subnet-0b1"],"SecurityGroupIds":["sg-0a"]}`: {"ValidationException", "WorkforceVpcConfig.Subnets", "subnet-0a1, subnet-0a2"},
		`{"VpcId":"vpc-0a","Subnets":["subnet-0a1"],"SecurityGroupIds":["sg-9"]}`:  {"ValidationException", "WorkforceVpcConfig.SecurityGroupIds", "sg-0a"},
		`{"VpcId":"vpc-0a"}`:                       {"ValidationException", "WorkforceVpcConfig.Subnets"},
		`{"VpcId":"VPC","Subnets":["subnet-0a1"]}`: {"ValidationException", "vpc-[0-9a-z]*"},
	} {
		_, err := w.AWS("sagemaker", "update-workforce", "--workforce-name", "workforce", "--workforce-vpc-config", config)
		for _, word := range want {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v, want %q", config, err, word)
			}
		}
	}

	update("--workforce-vpc-config", `{"VpcId":"vpc-0a","Subnets":["subnet-0a1"],"SecurityGroupIds":["sg-0a"]}`, "--query", "Workforce.Status")
	d := w.awaitActive(t)
	if v := d.Workforce.WorkforceVpcConfig; v == nil || v.VpcId != "vpc-0a" || v.VpcEndpointId != "vpce-0portal" || fmt.Sprint(v.Subnets, v.SecurityGroupIds) != "[subnet-0a1] [sg-0a]" {
		t.Errorf("described %+v", v)
	}
	answers(inside, 200)
	answers(way{from: "127.1.0.200", to: w.portal}, 404, "security groups")
	answers(way{from: outside, to: w.portal}, 403, "Refused:")
	answers(way{from: balancer, to: w.proxyPortal, before: header2("10.1.0.7", "vpce-0portal")}, 200)
	answers(way{from: balancer, to: w.proxyPortal, before: header2("10.1.0.7", "vpce-0hop")}, 404, "another VPC endpoint")
	answers(way{from: hop, header: map[string]string{"X-Forwarded-For": "10.1.0.7"}}, 404, "another VPC endpoint")

	// Ground Truth's recipe to shut the public side.
	update("--source-ip-config", "Cidrs=10.0.0.0/16")
	answers(public, 404, "SourceIpConfig")
	answers(inside, 200)
	worker, err := boot.SignInOver(w.Portal, inside.client(), ana.Email, ana.Password)
	if err != nil {
		t.Fatalf("sign-in through the endpoint: %v", err)
	}
	// The same session from outside.
	worker.Client = public.client()
	if page, status, err := worker.Page("/"); err != nil || status != 404 || strings.Contains(page, "csrf") {
		t.Errorf("the session from outside: %d %v", status, err)
	}

	update("--workforce-vpc-config", "{}")
	answers(inside, 404, "no WorkforceVpcConfig")
	if d := w.awaitActive(t); d.Workforce.WorkforceVpcConfig != nil || fmt.Sprint(d.Workforce.SourceIpConfig.Cidrs) != "[10.0.0.0/16]" {
		t.Errorf("described %+v", d)
	}
	worker.Client = inside.client()
	if _, status, err := worker.Page("/"); err != nil || status != 404 {
		t.Errorf("the session after the VPC was taken away: %d %v", status, err)
	}
	denied := 0
	for _, r := range records(t, w.DataDir) {
		if r.Action == "portal:Enter" && r.Verdict == "deny" && r.Statement != "" && r.Reason != "" && r.Origin != "" {
			denied++
		}
	}
	if denied < 8 {
		t.Errorf("%d refusals on record", denied)
	}
}

// What CreateWorkforce and clients that wait see.
func TestStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out, err := w.Python(`
import boto3, time
from botocore.exceptions import ClientError
sm, idp = boto3.client("sagemaker"), boto3.client("cognito-idp")
pool = idp.create_user_pool(PoolName="p")["UserPool"]["Id"]
client = idp.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
config = {"VpcId": "vpc-0a", "Subnets": ["subnet-0a1"], "SecurityGroupIds": ["sg-0a"]}
def status(): return sm.describe_workforce(WorkforceName="w")["Workforce"]["Status"]
def settle():
    while status() != "Active": time.sleep(.05)
sm.create_workforce(WorkforceName="w", CognitoConfig={"UserPool": pool, "ClientId": client}, WorkforceVpcConfig=config, IpAddressType="ipv4")
seen = [status()]
try: sm.update_workforce(WorkforceName="w", IpAddressType="ipv4")
except ClientError as e: seen.append(e.response["Error"]["Code"])
try: sm.delete_workforce(WorkforceName="w")
except ClientError as e: seen.append(e.response["Error"]["Code"])
settle()
seen.append(sm.list_workforces()["Workforces"][0]["WorkforceVpcConfig"]["VpcEndpointId"])
try: sm.update_workforce(WorkforceName="w", IpAddressType="dualstack")
except ClientError as e: seen.append(e.response["Error"]["Message"])
r = sm.update_workforce(WorkforceName="w", IpAddressType="dualstack", WorkforceVpcConfig=dict(config, Subnets=["subnet-0a2"]))["Workforce"]
seen += [r["Status"], r["IpAddressType"]]
settle()
seen.append(sm.update_workforce(WorkforceName="w", WorkforceVpcConfig={})["Workforce"]["Status"])
settle()
seen.append("WorkforceVpcConfig" in sm.describe_workforce(WorkforceName="w")["Workforce"])
sm.delete_workforce(WorkforceName="w")
print(seen)
`)
	if err != nil {
		t.Fatal(err)
	}
	want := `['Initializing', 'ConflictException', 'ResourceInUse', 'vpce-0portal', ` +
		`'IpAddressType: dualstack needs IPv4 and IPv6 in each of the subnets subnet-0a1.', 'Updating', 'dualstack', 'Updating', False]`
	if got := strings.TrimSpace(out); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A worker by IPv6 with a workforce of IPv4, on a server that hears of them
// through a load balancer.
func TestAddressType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Make(boot.Setup{Workers: []boot.Account{ana}})
	six := way{from: balancer, to: w.proxyPortal, before: header2("2001:db8::7", "")}
	if status, body := six.get(t, w.Portal+"/signin"); status != 404 || !strings.Contains(body, "IPv4 only") {
		t.Errorf("with ipv4: %d %s", status, body)
	}
	w.aws(t, "sagemaker", "update-workforce", "--workforce-name", "workforce", "--ip-address-type", "dualstack")
	w.awaitActive(t)
	if status, _ := six.get(t, w.Portal+"/signin"); status != 200 {
		t.Errorf("with dualstack: %d", status)
	}
}

// A worker in the VPC labels: the portal through one endpoint, media through
// the other, bound to the address there and to that endpoint.
func TestWorkerInVPC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Make(boot.Setup{Workers: []boot.Account{ana}, Jobs: []boot.Job{{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 2, Workers: 1}}})
	w.aws(t, "sagemaker", "update-workforce", "--workforce-name", "workforce", "--source-ip-config", "Cidrs=10.0.0.0/16",
		"--workforce-vpc-config", `{"VpcId":"vpc-0a","Subnets":["subnet-0a1"],"SecurityGroupIds":["sg-0a"]}`)
	w.aws(t, "sagemaker", "update-workteam", "--workteam-name", "team", "--worker-access-configuration",
		`{"S3Presign":{"IamPolicyConstraints":{"VpcSourceIp":"Enabled","SourceIp":"Disabled"}}}`)
	w.awaitActive(t)
	portal, media := way{from: inVPC, to: w.portal}, way{from: inVPC, to: w.s3}
	worker, err := boot.SignInOver(w.Portal, portal.client(), ana.Email, ana.Password)
	if err != nil {
		t.Fatal(err)
	}
	url := w.open(t, worker, media)
	if status, body := media.get(t, url); status != 200 || !strings.HasPrefix(http.DetectContentType([]byte(body)), "image/") {
		t.Errorf("the worker's picture: %d %.300s", status, body)
	}
	for name, by := range map[string]way{
		"the public side":             {from: inVPC},
		"from outside":                {from: outside},
		"another address in the VPC":  {from: "127.1.0.10", to: w.s3},
		"another endpoint of the VPC": {from: hop, header: map[string]string{"X-Forwarded-For": inVPC}},
		"PrivateLink with a lie":      {from: balancer, to: w.proxyAPI, before: header2("10.1.0.9", "vpce-0s3")},
	} {
		if status, _ := by.get(t, url); status != 403 {
			t.Errorf("%s: status %d, want 403", name, status)
		}
	}
}

// open takes a task as the page does, probe of the media side included, and
// returns the media URL in it.
func (w *world) open(t *testing.T, worker *boot.Worker, media way) string {
	t.Helper()
	id, err := worker.Start("boxes")
	if err != nil || id == "" {
		t.Fatalf("start: %q %v", id, err)
	}
	var ticket struct{ Probe string }
	w.post(t, worker, "/tasks/"+id+"/probe", struct{}{}, &ticket)
	frame := media
	frame.header = map[string]string{"Origin": "null"} // a sandboxed frame's
	status, body := frame.get(t, ticket.Probe)
	var said struct{ Statement string }
	if err := json.Unmarshal([]byte(body), &said); err != nil || status != 200 || said.Statement == "" {
		t.Fatalf("the media side says %d %s", status, body)
	}
	var place struct{ Address string }
	w.post(t, worker, "/tasks/"+id+"/place", said, &place)
	if place.Address != media.from+" via vpce-0s3" {
		t.Errorf("the worker is at %q", place.Address)
	}
	page, urls, err := worker.Frame(id)
	if err != nil || len(urls) != 1 {
		t.Fatalf("the frame has %d media URLs (%v):\n%s", len(urls), err, page)
	}
	return urls[0]
}

// post sends JSON as the worker's page does.
func (w *world) post(t *testing.T, worker *boot.Worker, path string, in, out any) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	res, err := worker.Do("POST", path, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("%s: %d %s", path, res.StatusCode, text)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}
