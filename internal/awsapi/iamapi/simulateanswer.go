package iamapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"fiducial/internal/policy"
)

type positionXML struct{ Line, Column int }

type matchedXML struct {
	SourcePolicyID   string `xml:"SourcePolicyId"`
	SourcePolicyType string
	StartPosition    positionXML
	EndPosition      positionXML
}

type detailXML struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// detailsXML is empty, and there, within one account.
type detailsXML struct {
	Entries []detailXML `xml:"entry"`
}

type resourceResultXML struct {
	EvalResourceName     string
	EvalResourceDecision string
	MatchedStatements    list[matchedXML]
	MissingContextValues list[string]
	EvalDecisionDetails  *detailsXML
}

type resultXML struct {
	EvalActionName          string
	EvalResourceName        string
	EvalDecision            string
	MatchedStatements       list[matchedXML]
	MissingContextValues    list[string]
	EvalDecisionDetails     *detailsXML
	ResourceSpecificResults *list[resourceResultXML]
}

type simulationResult struct {
	EvaluationResults list[resultXML]
	more
}

// The decisions in the simulator's words.
const (
	allowed      = "allowed"
	explicitDeny = "explicitDeny"
	implicitDeny = "implicitDeny"
)

func decisionWord(d policy.Decision) string {
	switch d.Effect {
	case policy.Allow:
		return allowed
	case policy.Deny:
		return explicitDeny
	}
	return implicitDeny
}

// answer simulates a page of the actions.
func (s *simulation) answer(form url.Values) (any, error) {
	from, limit, err := s.page(form)
	if err != nil {
		return nil, err
	}
	var out simulationResult
	end := min(from+limit, len(s.actions))
	for _, action := range s.actions[from:end] {
		out.EvaluationResults.Members = append(out.EvaluationResults.Members, s.evaluate(action))
	}
	out.more = moreAfter(end < len(s.actions), strconv.Itoa(end))
	return out, nil
}

// page reads MaxItems and Marker.
func (s *simulation) page(form url.Values) (from, limit int, err error) {
	limit = 100
	n, given, err := integer(form, "MaxItems")
	if err != nil {
		return 0, 0, err
	}
	if given {
		if n < 1 || n > maxResults {
			return 0, 0, invalidInput("MaxItems must be between 1 and %d.", maxResults)
		}
		limit = int(n)
	}
	if m := form.Get("Marker"); m != "" {
		b, err := base64.RawURLEncoding.DecodeString(m)
		if err == nil {
			from, err = strconv.Atoi(string(b))
		}
		if err != nil || from < 1 || from > len(s.actions) {
			return 0, 0, invalidInput("Invalid Marker.")
		}
	}
	return from, limit, nil
}

// evaluate simulates one action. With one resource the result is that one's; with
// several the action is called allowed if it is on all of them.
func (s *simulation) evaluate(action string) resultXML {
	out := resultXML{EvalActionName: action, EvalResourceName: "*"}
	missing := list[string]{s.missing()}
	if len(s.resources) == 1 && s.resources[0] == "*" {
		r := s.decide(action, "*")
		out.EvalDecision, out.MatchedStatements, out.MissingContextValues = r.EvalResourceDecision, r.MatchedStatements, missing
		return out
	}
	out.EvalDecision, out.ResourceSpecificResults = allowed, &list[resourceResultXML]{}
	for _, resource := range s.resources {
		r := s.decide(action, resource)
		r.MissingContextValues = missing
		out.ResourceSpecificResults.Members = append(out.ResourceSpecificResults.Members, r)
		if r.EvalResourceDecision == explicitDeny || r.EvalResourceDecision == implicitDeny && out.EvalDecision == allowed {
			out.EvalDecision = r.EvalResourceDecision
		}
	}
	out.EvalDecisionDetails = &detailsXML{}
	if all := out.ResourceSpecificResults.Members; len(all) == 1 {
		out.EvalResourceName, out.MatchedStatements, out.EvalDecisionDetails = all[0].EvalResourceName, all[0].MatchedStatements, all[0].EvalDecisionDetails
	}
	return out
}

// decide asks the policy engine.
func (s *simulation) decide(action, resource string) resourceResultXML {
	p := policy.Policies{ResourceAccount: s.account}
	for _, one := range s.identity {
		p.Identity = append(p.Identity, one.doc)
	}
	if s.resource != nil {
		p.Resource = s.resource.doc
	}
	req := &policy.Request{Principal: &s.principal, Action: action, Resource: resource, Context: s.context}
	x := policy.Explain(p, req)
	out := resourceResultXML{EvalResourceName: resource, EvalResourceDecision: decisionWord(x.Decision), EvalDecisionDetails: &detailsXML{}}
	if s.account != "" && s.account != s.principal.Account {
		out.EvalDecisionDetails = s.details(p, req)
	}
	if x.Decision.Effect == policy.NoMatch {
		return out
	}
	for i := range x.Statements {
		if t := &x.Statements[i]; t.Applies && t.Allow == x.Decision.Allowed() {
			out.MatchedStatements.Members = append(out.MatchedStatements.Members, s.matched(t))
		}
	}
	return out
}

// details is what each side says by itself of a request across accounts.
func (s *simulation) details(p policy.Policies, req *policy.Request) *detailsXML {
	own := policy.Evaluate(p.Identity, req)
	out := &detailsXML{Entries: []detailXML{{"IAM Policy", decisionWord(own)}}}
	other := policy.Decision{}
	if p.Resource != nil {
		other = policy.Evaluate([]*policy.Document{p.Resource}, req)
	}
	out.Entries = append(out.Entries, detailXML{"Resource Policy", decisionWord(other)})
	return out
}

// matched names a statement and where it stands in its document.
func (s *simulation) matched(t *policy.Trace) matchedXML {
	out := matchedXML{SourcePolicyID: t.By.Policy, SourcePolicyType: "IAM Policy"}
	text := ""
	for _, one := range s.identity {
		if one.id == t.By.Policy && t.By.Gate == policy.IdentityGate {
			text = one.text
		}
	}
	if t.By.Gate == policy.ResourceGate {
		out.SourcePolicyType, text = "Resource Policy", s.resource.text
	}
	start, end := span(text, t.By.Index)
	out.StartPosition, out.EndPosition = position(text, start), position(text, end)
	return out
}

// position is the line and the column, both from 1, of the character at an offset.
func position(text string, offset int) positionXML {
	before := text[:offset]
	last := strings.LastIndexByte(before, '\n')
	return positionXML{Line: 1 + strings.Count(before, "\n"), Column: 1 + utf8.RuneCountInString(before[last+1:])}
}

// span finds the n-th statement of a document that has been parsed, as the AWS
// simulator counts: from behind the bracket or the statement before it (for a
// single statement without a list, from behind its brace) to behind its end.
func span(text string, n int) (start, end int) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if _, err := d.Token(); err != nil { // {
		return 0, 0
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return 0, 0
		}
		if name != "Statement" {
			var skipped json.RawMessage
			if d.Decode(&skipped) != nil {
				return 0, 0
			}
			continue
		}
		return statement(d, text, n)
	}
	return 0, 0
}

func statement(d *json.Decoder, text string, n int) (start, end int) {
	var raw json.RawMessage
	rest := strings.TrimLeft(text[d.InputOffset():], " \t\r\n:")
	if strings.HasPrefix(rest, "{") {
		if d.Decode(&raw) != nil {
			return 0, 0
		}
		end = int(d.InputOffset())
		return end - len(raw) + 1, end
	}
	if _, err := d.Token(); err != nil { // [
		return 0, 0
	}
	for i := 0; d.More(); i++ {
		start = end
		if i == 0 {
			start = len(text) - len(rest) + 1
		}
		if d.Decode(&raw) != nil {
			return 0, 0
		}
		if end = int(d.InputOffset()); i == n {
			return start, end
		}
	}
	return 0, 0
}
