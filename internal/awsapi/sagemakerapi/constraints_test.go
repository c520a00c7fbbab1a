package sagemakerapi_test

import (
	"encoding/json"
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
)

// violation is an input that breaks one constraint, and what must be said of it.
type violation struct {
	what  string
	input any
	code  string
	words string
}

// Every constraint that the model puts on the inputs of built operations is
// broken once, and must be refused with the member's path and the constraint.
func TestEveryConstraint(t *testing.T) {
	built := sagemakerapi.New(sagemakerapi.Deps{}).Service()
	decode := map[string]func(*awsapi.Call) error{}
	for _, o := range built.Operations {
		decode[o.Name] = o.Decode
	}
	cases := 0
	for _, o := range wire.Operations {
		if decode[o.Name] == nil {
			continue
		}
		check := func(v violation) {
			body, err := json.Marshal(v.input)
			if err != nil {
				t.Fatal(err)
			}
			err = decode[o.Name](&awsapi.Call{Body: body})
			if v.code == "" {
				if err != nil {
					t.Fatalf("%s: %s was refused: %v\n%s", o.Name, v.what, err, body)
				}
				return
			}
			cases++
			if fault.CodeOf(err) != v.code || !strings.Contains(fault.MessageOf(err), v.words) {
				t.Errorf("%s: %s: %v, want %s %q", o.Name, v.what, err, v.code, v.words)
			}
			if v.code == "ValidationException" && !strings.HasPrefix(fault.MessageOf(err), "1 validation error detected: Value ") {
				t.Errorf("%s: %s: not one error: %s", o.Name, v.what, fault.MessageOf(err))
			}
		}
		check(violation{what: "a whole input", input: sample(o.Input, true)})
		check(violation{what: "the least input", input: sample(o.Input, false)})
		for _, v := range violations(o.Input, "", "") {
			check(v)
		}
	}
	if cases < 500 {
		t.Errorf("only %d cases: the walk over the model is broken", cases)
	}
	t.Logf("%d constraints broken", cases)
}

// sample is a legal value; whole ones have their optional members too.
func sample(s *awsapi.Shape, whole bool) any {
	switch s.Type {
	case awsapi.Structure:
		out := map[string]any{}
		for _, m := range s.Members {
			if m.Required || whole {
				out[m.Name] = sample(m.Shape, whole)
			}
		}
		return out
	case awsapi.List:
		n := max(1, bound(s.Min))
		var out []any
		for range n {
			out = append(out, sample(s.Element, whole))
		}
		return out
	case awsapi.Map:
		return map[string]any{sample(s.Key, whole).(string): sample(s.Element, whole)}
	case awsapi.Integer:
		return max(1, bound(s.Min))
	case awsapi.Boolean:
		return true
	case awsapi.Timestamp:
		return 1622151252.451
	}
	return text(s)
}

func bound(p *int64) int {
	if p == nil {
		return 0
	}
	return int(*p)
}

// text is a legal string: the shortest of the expression, repeated where the
// length asks for more.
func text(s *awsapi.Shape) string {
	if s.Enum != nil {
		return s.Enum[0]
	}
	out := "x"
	if s.Pattern != nil {
		re, err := syntax.Parse(strings.ReplaceAll(s.Pattern.Source, `\uD7FF\uE000-\uFFFD`, `\x{D7FF}`), syntax.Perl)
		if err != nil {
			panic(err)
		}
		out = shortest(re)
	}
	for utf8.RuneCountInString(out) < bound(s.Min) {
		out += "x"
	}
	return out
}

func shortest(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for r := 'a'; r > 0; r-- { // a letter reads best
			for i := 0; i < len(re.Rune); i += 2 {
				if re.Rune[i] <= r && r <= re.Rune[i+1] && unicode.IsPrint(r) {
					return string(r)
				}
			}
		}
		return string(re.Rune[0])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpConcat, syntax.OpCapture:
		out := ""
		for _, sub := range re.Sub {
			out += shortest(sub)
		}
		return out
	case syntax.OpAlternate:
		return shortest(re.Sub[0])
	case syntax.OpPlus:
		return shortest(re.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(shortest(re.Sub[0]), re.Min)
	}
	return ""
}

// violations are the legal input with one thing broken. path is the member's as
// messages spell it, keys the way to it in the input.
func violations(s *awsapi.Shape, path, keys string) []violation {
	var out []violation
	for _, m := range s.Members {
		at := strings.ToLower(m.Name[:1]) + m.Name[1:]
		if path != "" {
			at = path + "." + at
		}
		key := strings.TrimPrefix(keys+"/"+m.Name, "/")
		out = append(out, broken(m.Shape, at, key)...)
		if m.Required {
			out = append(out, violation{key + " missing", nil, "ValidationException", "Value null at '" + at + "' failed to satisfy constraint: Member must not be null"},
				violation{key + " null", nil, "ValidationException", "Value null at '" + at + "' failed"})
		}
	}
	if path != "" {
		return out
	}
	for i := range out { // put each broken value into a whole input
		v := &out[i]
		key, how, _ := strings.Cut(v.what, " ")
		in := sample(s, true)
		switch how {
		case "missing":
			edit(in, key, func(parent map[string]any, name string) { delete(parent, name) })
		default:
			edit(in, key, func(parent map[string]any, name string) { parent[name] = v.input })
		}
		v.input = in
	}
	return out
}

// edit finds the parent of the member that the keys lead to.
func edit(in any, keys string, change func(map[string]any, string)) {
	name, rest, more := strings.Cut(keys, "/")
	if name == "0" {
		edit(in.([]any)[0], rest, change)
		return
	}
	parent := in.(map[string]any)
	if !more {
		change(parent, name)
		return
	}
	edit(parent[name], rest, change)
}

// broken are illegal values for a member.
func broken(s *awsapi.Shape, at, key string) []violation {
	const invalid = "ValidationException"
	place := " at '" + at + "' failed to satisfy constraint: "
	wrong := func(v any) violation { return violation{key + " wrong type", v, "SerializationException", ""} }
	switch s.Type {
	case awsapi.Structure:
		return append(violations(s, at, key), wrong("text"))
	case awsapi.List:
		out := append(sizes(s, at, key, func(n int) any {
			var l []any
			for range n {
				l = append(l, sample(s.Element, false))
			}
			if l == nil {
				return []any{}
			}
			return l
		}), wrong(map[string]any{}))
		if s.Element.Type == awsapi.Structure {
			return append(out, violations(s.Element, at+".1.member", key+"/0")...)
		}
		for _, v := range broken(s.Element, at, key) { // scalars: said once of the list
			if v.code == invalid {
				v.words = place + "Member must satisfy constraint: ["
			}
			v.input = []any{v.input}
			out = append(out, v)
		}
		return out
	case awsapi.Map:
		return append(sizes(s, at, key, func(n int) any {
			m := map[string]any{}
			for i := range n {
				m["k"+strconv.Itoa(i)] = sample(s.Element, false)
			}
			return m
		}), wrong([]any{}))
	case awsapi.Integer:
		out := []violation{wrong("7"), wrong(1.5), wrong(int64(1) << 40)}
		if s.Min != nil {
			out = append(out, violation{key + " low", *s.Min - 1, invalid, place + fmt.Sprintf("Member must have value greater than or equal to %d", *s.Min)})
		}
		if s.Max != nil {
			out = append(out, violation{key + " high", *s.Max + 1, invalid, place + fmt.Sprintf("Member must have value less than or equal to %d", *s.Max)})
		}
		return out
	case awsapi.Boolean, awsapi.Timestamp:
		return []violation{wrong("yes")}
	}
	return append(brokenText(s, place, key), wrong(7), wrong([]any{"x"}))
}

func sizes(s *awsapi.Shape, at, key string, of func(int) any) []violation {
	var out []violation
	place := " at '" + at + "' failed to satisfy constraint: "
	if bound(s.Min) > 0 {
		out = append(out, violation{key + " few", of(int(*s.Min) - 1), "ValidationException", place + fmt.Sprintf("Member must have length greater than or equal to %d", *s.Min)})
	}
	if s.Max != nil {
		out = append(out, violation{key + " many", of(int(*s.Max) + 1), "ValidationException", place + fmt.Sprintf("Member must have length less than or equal to %d", *s.Max)})
	}
	return out
}

func brokenText(s *awsapi.Shape, place, key string) []violation {
	const invalid = "ValidationException"
	if s.Enum != nil {
		return []violation{{key + " enum", "enabled", invalid, place + "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"}}
	}
	var out []violation
	if s.Max != nil {
		out = append(out, violation{key + " long", strings.Repeat("x", int(*s.Max)+1), invalid, place + fmt.Sprintf("Member must have length less than or equal to %d", *s.Max)})
	}
	if s.Pattern == nil {
		if bound(s.Min) > 0 {
			out = append(out, violation{key + " short", "", invalid, place + fmt.Sprintf("Member must have length greater than or equal to %d", *s.Min)})
		}
		return out
	}
	// Something of a legal length that the expression does not match; some
	// expressions match everything.
	for _, bad := range []string{"\n", "é ö", "\x01"} {
		for utf8.RuneCountInString(bad) < bound(s.Min) {
			bad += "\n"
		}
		if s.Max != nil && utf8.RuneCountInString(bad) > int(*s.Max) {
			continue
		}
		if !s.Pattern.Match(bad) {
			return append(out, violation{key + " pattern", bad, invalid, place + "Member must satisfy regular expression pattern: " + s.Pattern.Source})
		}
	}
	return out
}

// The texts in the words that clients have seen.
func TestTexts(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, c := range []struct{ name, body, want string }{
		{"one error", `{"LabelingJobName":"` + long + `"}`,
			"1 validation error detected: Value '" + long + "' at 'labelingJobName' failed to satisfy constraint: Member must have length less than or equal to 63"},
		{"null", `{}`, "1 validation error detected: Value null at 'labelingJobName' failed to satisfy constraint: Member must not be null"},
		{"expression", `{"LabelingJobName":"a_b"}`,
			"1 validation error detected: Value 'a_b' at 'labelingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
		{"empty", `{"LabelingJobName":""}`,
			"2 validation errors detected: Value '' at 'labelingJobName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'labelingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
	} {
		var in wire.StopLabelingJobRequest
		if err := awsapi.DecodeJSON([]byte(c.body), wire.StopLabelingJobRequestShape, &in); fault.MessageOf(err) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, fault.MessageOf(err), c.want)
		}
	}
	var in wire.CreateWorkteamRequest
	err := awsapi.DecodeJSON([]byte(`{"WorkteamName":"t","Description":"d","MemberDefinitions":[],"Tags":[{"Key":"k","Value":"v"},{"Key":"","Value":"v"}],
		"WorkerAccessConfiguration":{"S3Presign":{"IamPolicyConstraints":{"SourceIp":"On"}}}}`), wire.CreateWorkteamRequestShape, &in)
	want := "3 validation errors detected: Value '[]' at 'memberDefinitions' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
		"Value 'On' at 'workerAccessConfiguration.s3Presign.iamPolicyConstraints.sourceIp' failed to satisfy constraint: Member must satisfy enum value set: [Enabled, Disabled]; " +
		"Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1"
	if fault.MessageOf(err) != want {
		t.Errorf("\n got %s\nwant %s", fault.MessageOf(err), want)
	}

	// A client secret is not said back, nor is what is too long to read.
	var forced wire.CreateWorkforceRequest
	err = awsapi.DecodeJSON([]byte(`{"WorkforceName":"w","OidcConfig":{"ClientSecret":"hush\u0001hush"}}`), wire.CreateWorkforceRequestShape, &forced)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("the secret is in the message: %v", err)
	}
	err = awsapi.DecodeJSON([]byte(`{"WorkforceName":"`+strings.Repeat("y", 1_000_000)+`"}`), wire.DescribeWorkforceRequestShape, &forced)
	if n := len(fault.MessageOf(err)); n == 0 || n > 1000 {
		t.Errorf("the message has %d bytes", n)
	}
}

// Real networks pass the model's expression, which was mangled on its way into
// the model (\s and \d lost their backslashes).
func TestCidrPattern(t *testing.T) {
	for s, want := range map[string]bool{
		"10.0.0.0/16": true, "0.0.0.0/0": true, "203.0.113.7/32": true, "2001:db8:1234:1a00::/56": true, "::/0": true, "fe80::1/128": true,
		"10.0.0.0": false, "10.0.0.256/8": false, "10.0.0.0/33": false, "2001:db8::/129": false, "office": false,
	} {
		if got := wire.CidrShape.Pattern.Match(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
