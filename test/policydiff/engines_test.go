package policydiff

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"testing"
	"time"

	versity "github.com/versity/versitygw/iamapi/policy"
	"github.com/versity/versitygw/iamapi/types"

	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// effect is an answer in the words of all engines: NoMatch, Allow or Deny.
type effect = string

// gates are the answers of the sets of documents alone, and of all together.
type gates struct {
	Identity, Session, Resource, Final effect
	Error                              string
}

// request is the question as our engine takes it.
func (q *question) request() *policy.Request {
	p := &identity.Principal{Account: q.principal.account, ARN: q.principal.arn, UserID: q.principal.userID, Name: q.principal.name, RoleARN: q.principal.role}
	switch q.principal.kind {
	case "User":
		p.Type = identity.User
	case "AssumedRole":
		p.Type = identity.AssumedRole
		p.IssuedAt = at.Add(-time.Hour)
	case "Account":
		p.Type = identity.Root
	}
	r := &policy.Request{Principal: p, Action: q.action, Resource: q.resource}
	for key, values := range q.context {
		switch key {
		case "aws:CurrentTime":
			r.Context.Time = at
		case "aws:SourceIp":
			r.Context.SourceIP = netip.MustParseAddr(values[0])
		case "aws:VpcSourceIp":
			r.Context.VPCSourceIP = netip.MustParseAddr(values[0])
		case "aws:SourceVpc":
			r.Context.SourceVPC = values[0]
		case "aws:SourceVpce":
			r.Context.SourceVPCE = values[0]
		case "aws:SecureTransport":
			r.Context.SecureTransport, _ = strconv.ParseBool(values[0])
		case "aws:EpochTime", "aws:PrincipalType", "aws:PrincipalIsAWSService", "aws:ViaAWSService", "aws:userid", "aws:username",
			"aws:PrincipalAccount", "aws:PrincipalArn", "aws:MultiFactorAuthPresent", "aws:TokenIssueTime":
			// follow from the time and the principal
		default:
			k := policy.Key{Name: key, Values: values}
			if !q.multi[key] {
				k = policy.Key{Name: key, Value: values[0]}
			}
			r.Context.Keys = append(r.Context.Keys, k)
		}
	}
	return r
}

func parse(d *document, kind policy.Kind) (*policy.Document, error) {
	if d == nil {
		return nil, nil
	}
	return policy.Parse([]byte(d.json()), kind)
}

// ours asks our engine. ok is false when a document is refused.
func ours(q *question) (g gates, why error) {
	req := q.request()
	p := policy.Policies{ResourceAccount: q.account}
	for _, d := range q.identity {
		c, err := parse(d, policy.Identity)
		if err != nil {
			return g, err
		}
		p.Identity = append(p.Identity, c)
	}
	var err error
	if p.Session, err = parse(q.session, policy.Session); err != nil {
		return g, err
	}
	if p.Resource, err = parse(q.policy, policy.Resource); err != nil {
		return g, err
	}
	p.HasSession = p.Session != nil
	alone := func(docs ...*policy.Document) effect {
		if len(docs) == 1 && docs[0] == nil {
			return "NoMatch"
		}
		return policy.Evaluate(docs, req).Effect.String()
	}
	return gates{Identity: alone(p.Identity...), Session: alone(p.Session), Resource: alone(p.Resource), Final: policy.Authorize(p, req).Effect.String()}, nil
}

var versityEffects = map[versity.Decision]effect{versity.DecisionNoMatch: "NoMatch", versity.DecisionAllow: "Allow", versity.DecisionDeny: "Deny"}

// ofVersity asks versity's engine about identity documents, all it knows.
func ofVersity(q *question, docs []*document) effect {
	entries := make([]types.PolicyEntry, len(docs))
	for i, d := range docs {
		entries[i].PolicyDocument = d.json()
	}
	return versityEffects[versity.EvaluateIdentityPolicies(entries, versity.RequestContext{Action: q.action, Resource: q.resource, Condition: q.context})]
}

// simulator is iam-simulate, a program of its own.
type simulator struct {
	cmd *exec.Cmd
	in  *bufio.Writer
	out *bufio.Scanner
}

func startSimulator(t testing.TB) *simulator {
	t.Helper()
	s := &simulator{cmd: exec.Command("node", "simulate.mjs")}
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("node: %v", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = s.cmd.Wait()
	})
	s.in, s.out = bufio.NewWriterSize(stdin, 1<<16), bufio.NewScanner(stdout)
	s.out.Buffer(nil, 1<<20)
	return s
}

// ask puts questions and reads their answers.
func (s *simulator) ask(lines [][]byte) ([]gates, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	for _, line := range append(lines, []byte("\n")) {
		if _, err := s.in.Write(line); err != nil {
			return nil, err
		}
	}
	if err := s.in.Flush(); err != nil {
		return nil, err
	}
	out := make([]gates, len(lines))
	for i := range out {
		if !s.out.Scan() {
			return nil, fmt.Errorf("the simulator ended: %v (is it installed? npm ci)", s.out.Err())
		}
		if err := json.Unmarshal(s.out.Bytes(), &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
