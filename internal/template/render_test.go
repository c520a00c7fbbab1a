package template_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/template"

	"github.com/google/go-cmp/cmp"
)

const signed = "http://127.0.0.1:9000/b/k%20%27.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=600&X-Amz-Signature=00ff"

var granting = template.Functions{
	GrantReadAccess: func(_ context.Context, bucket, key string) (string, error) {
		if bucket == "forbidden" {
			return "", &template.RenderError{Code: template.CodeAccessDenied, Message: "the role may not read it"}
		}
		return "https://media/" + bucket + "/" + strings.ReplaceAll(key, " ", "%20") + "?X-Amz-Date=1&X-Amz-Signature=2", nil
	},
	Hosts: []string{"127.0.0.1:9000", "s3.example.org"},
	Now:   func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
}

const input = `{
  "taskObject": "s3://bkt/dir/a b.jpg", "text": "Tom & \"Jerry\" <b>'s</b>", "n": 7, "f": 1.50, "big": 9007199254740993, "yes": true, "no": false, "none": null,
  "labels": ["Cat", "Dog's", "</script>"], "source-ref": "s3://bkt/k",
  "z": {"zeta": 1, "alpha": {"y": [1, {"b": 2, "a": 3}]}, "mid": null},
  "meta": {"class-map": {"0": "Cat", "1": "Dog"}}, "annotations": [{"class_id": 1, "left": 5}, {"class_id": 0, "left": 6}],
  "markup": "<i>hi</i>", "space": "   ", "http": "https://s3.us-west-2.amazonaws.com/bucket/a%20b.png"
}`

func render(t *testing.T, src string) string {
	t.Helper()
	out, errs := template.Render(context.Background(), src, json.RawMessage(input), granting, template.Limits{})
	if len(errs) > 0 {
		t.Fatalf("Render(%q): %v", src, errs)
	}
	return out
}

func TestRender(t *testing.T) {
	const media = "https://media/bkt/dir/a%20b.jpg?X-Amz-Date=1&X-Amz-Signature=2"
	for _, c := range []struct{ name, src, want string }{
		{"text only", "<p>hello</p>", "<p>hello</p>"},
		{"autoescape", `{{ "Have you read 'James & the Giant Peach'?" }}`, "Have you read &#39;James &amp; the Giant Peach&#39;?"},
		{"explicit escape does not escape twice", `{{ "Have you read 'James & the Giant Peach'?" | escape }}`, "Have you read &#39;James &amp; the Giant Peach&#39;?"},
		{"escape of what is escaped", `{{ "a & b" | escape | escape }}`, "a &amp; b"},
		{"escape_once", `{{ "Have you read 'James &amp; the Giant Peach'?" | escape_once }}`, "Have you read &#39;James &amp; the Giant Peach&#39;?"},
		{"skip_autoescape", `{{ "Have you read 'James & the Giant Peach'?" | skip_autoescape }}`, "Have you read 'James & the Giant Peach'?"},
		{"data is escaped", `{{ task.input.text }}`, "Tom &amp; &#34;Jerry&#34; &lt;b&gt;&#39;s&lt;/b&gt;"},
		{"to_json of a list", `{{ task.input.labels | to_json }}`, `["Cat","Dog\u0027s","\u003c/script\u003e"]`},
		{"to_json in an attribute", `{{ task.input.labels | to_json | escape }}`, `[&#34;Cat&#34;,&#34;Dog\u0027s&#34;,&#34;\u003c/script\u003e&#34;]`},
		{"to_json of a string", `{{ task.input.text | to_json }}`, `"Tom \u0026 \"Jerry\" \u003cb\u003e\u0027s\u003c/b\u003e"`},
		{"to_json of nothing", `{{ task.input.absent | to_json }}`, `null`},
		{"members keep their order", `{{ task.input.z | to_json }}`, `{"zeta":1,"alpha":{"y":[1,{"b":2,"a":3}]},"mid":null}`},
		{"object printed as JSON", `<x labels="{{ task.input.z }}">`, `<x labels="{&#34;zeta&#34;:1,&#34;alpha&#34;:{&#34;y&#34;:[1,{&#34;b&#34;:2,&#34;a&#34;:3}]},&#34;mid&#34;:null}">`},
		{"list printed as JSON", `{{ task.input.labels }}`, `[&#34;Cat&#34;,&#34;Dog&#39;s&#34;,&#34;&lt;/script&gt;&#34;]`},
		{"split result printed as JSON", `{{ "a,b" | split: "," | skip_autoescape }}`, `["a","b"]`},
		{"numbers", `{{ task.input.n }} {{ task.input.f }} {{ task.input.big }}`, "7 1.5 9007199254740993"},
		{"booleans and null", `[{{ task.input.yes }}{{ task.input.no }}{{ task.input.none }}]`, "[truefalse]"},
		{"unknown names print nothing", `[{{ task.input.nope.deeper }}{{ other }}]`, "[]"},
		{"dashed names", `{{ task.input.source-ref }} {{ task.input.meta.class-map["1"] }}`, "s3://bkt/k Dog"},
		{"size", `{{ task.input.labels.size }}`, "3"},
		{"index by literal and expression", `{{ task.input.labels[0] }} {{ task.input.labels[task.input.absent] }}{{ task.input.annotations[1].left }}`, "Cat 6"},
		{"class map through capture", `{% for box in task.input.annotations %}{% capture id %}{{ box.class_id }}{% endcapture %}{{ task.input.meta.class-map[id] }} {% endfor %}`, "Dog Cat "},
		{"for over an object yields pairs", `{% for p in task.input.z %}{{ p[0] }}={{ p[1] }};{% endfor %}`, "zeta=1;alpha={&#34;y&#34;:[1,{&#34;b&#34;:2,&#34;a&#34;:3}]};mid=;"},
		{"range and forloop", `{% for i in (0..2) %}{{ forloop.index }}:{{ i }}{% unless forloop.last %},{% endunless %}{% endfor %}`, "1:0,2:1,3:2"},
		{"break, continue, else", `{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}{% for x in task.input.nope %}{% else %}none{% endfor %}`, "13none"},
		{"loop modifiers", `{% for x in (1..9) limit:2 offset:1 %}{{ x }}{% endfor %}{%for x in task.input.labels limit: 1%}{{ x }}{%endfor%}`, "23Cat"},
		{"minus", `{{ task.input.n | minus: 1 }}`, "6"},
		{"assign and if", `{% assign x = task.input.n %}{% if x != null and x > 5 %}big{% endif %}`, "big"},
		{"capture of markup prints as markup", `{% capture m %}<b>{{ task.input.text }}</b>{% endcapture %}{{ m }}`, "<b>Tom &amp; &#34;Jerry&#34; &lt;b&gt;&#39;s&lt;/b&gt;</b>"},
		{"capture compares as text", `{% capture m %}a{% endcapture %}{% if m == "a" %}same{% endif %}`, "same"},
		{"filter sees a captured value unescaped", `{% capture u %}s3://bkt/{{ "a&b" }}{% endcapture %}{{ u | grant_read_access }}`, "https://media/bkt/a&b?X-Amz-Date=1&X-Amz-Signature=2"},
		{"grant in an attribute", `<img src="{{ task.input.taskObject | grant_read_access }}">`, `<img src="` + media + `">`},
		{"grant in CSS", `url({{ task.input.taskObject | grant_read_access }})`, "url(" + media + ")"},
		{"grant in a script", `var u = '{{ task.input.taskObject | grant_read_access }}'`, "var u = '" + media + "'"},
		{"grant of an https URL", `{{ task.input.http | grant_read_access }}`, "https://media/bucket/a%20b.png?X-Amz-Date=1&X-Amz-Signature=2"},
		{"grant assigned", `{% assign u = task.input.taskObject | grant_read_access %}{{ u }}`, media},
		{"object over several lines", "{{ task.input.n\n  | plus: 1\n}}", "8"},
		{"white space control", "a {{- 1 -}} b {%- if true -%} c {%- endif -%} d", "a1bcd"},
		{"trim before a loop's body", "{% for i in (1..2) -%}  x {%- endfor %}", "xx"},
		{"raw", `{% raw %}{{ x }}{% if %}{% endraw %}`, `{{ x }}{% if %}`},
		{"comments", "a{% comment %}{{ broken | }}{% endcomment %}{% # note %}b", "ab"},
		{"Liquid in an HTML comment runs", `<!-- {{ task.input.n }} -->`, "<!-- 7 -->"},
		{"empty object", `a{{}}b{{ }}c`, "abc"},
		{"case", `{% case task.input.n %}{% when 7 %}seven{% else %}other{% endcase %}`, "seven"},
		{"cycle and tablerow", `{% for i in (1..3) %}{% cycle "a", "b" %}{% endfor %}{% tablerow i in (1..2) %}{{ i }}{% endtablerow %}`, "aba<tr class=\"row1\">\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\n"},
		{"date now", `{{ "now" | date: "%Y-%m-%d" }}`, "2026-01-02"},
		{"a filter on a safe value is escaped again", `{{ "<i>" | skip_autoescape | append: "<b>" }}`, "&lt;i&gt;&lt;b&gt;"},
		{"braces of scripts", `<script>var a = {b: {c: 1}};</script>`, `<script>var a = {b: {c: 1}};</script>`},
		{"range printed", `{{ (1..3) }}`, "1..3"},
		{"no construct is made of what stands around one", `{ {%- comment %}x{% endcomment %}{ task.input.n }} { {{- task.input.n }} { {%- raw %}{%{% endraw %} if %}`, "{{ task.input.n }} {7 {{% if %}"},
		{"break outside of a loop ends the page", `a{% if true %}b{% break %}c{% endif %}d`, "ab"},
		{"break where a loop has no rounds", `a{% for x in task.input.nope %}{% else %}b{% break %}c{% endfor %}d`, "ab"},
		{"capture that ends the page", `a{% capture x %}b{% break %}{% endcapture %}c`, "a"},
		{"large numbers keep their digits", `{{ task.input.big | floor }} {{ 99999999999999999999 | ceil }}`, "9007199254740993 1e+20"},
		{"a string has no order with a word", `{% if "a" < empty or blank > "a" %}y{% else %}n{% endif %}`, "n"},
		{"members by number", `{{ task.input.meta.class-map.1 }}`, "Dog"},
		{"a constant's name in text", `{{ "__c1" }} __c1 {{ empty }}`, "__c1 __c1 "},
		{"script ends nothing", `<script>var l = {{ task.input.labels | to_json }}</script>`, `<script>var l = ["Cat","Dog\u0027s","\u003c/script\u003e"]</script>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, render(t, c.src)); d != "" {
				t.Errorf("%s\n%s", c.src, d)
			}
		})
	}
}

func TestRenderErrors(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		name, src string
		want      template.RenderError
	}{
		{"not an S3 URI", "\n<img\n src=\"{{ task.input.space | grant_read_access }}\">", template.RenderError{Code: "InvalidParameters", Message: `"grant_read_access" input is not a valid S3 URI: "   ".`, Line: 3, Column: 7}},
		{"missing object", "{{ task.input.nope | grant_read_access }}", template.RenderError{Code: "InvalidParameters", Message: `"grant_read_access" input is not a valid S3 URI: "".`, Line: 1, Column: 1}},
		{"a stranger's host", `{{ "https://example.com/b/k" | grant_read_access }}`, template.RenderError{Code: "InvalidParameters", Message: `"grant_read_access" input is not a valid S3 URI: "https://example.com/b/k".`, Line: 1, Column: 1}},
		{"refused grant inside a block keeps its line", "{% if true %}\n\n{{ 's3://forbidden/k' | grant_read_access }}{% endif %}", template.RenderError{Code: "AccessDenied", Message: "the role may not read it", Line: 3, Column: 1}},
		{"unknown filter", "a\n {{ 1 | nope }}", template.RenderError{Code: "InvalidTemplate", Message: `there is no filter "nope"`, Line: 2, Column: 2}},
		{"unknown tag", "{% nope %}", template.RenderError{Code: "InvalidTemplate", Message: `undefined tag "nope"`, Line: 1, Column: 1}},
		{"include", "{% include '/etc/passwd' %}", template.RenderError{Code: "InvalidTemplate", Message: `undefined tag "include"`, Line: 1, Column: 1}},
		{"render", "{% render 'a' %}", template.RenderError{Code: "InvalidTemplate", Message: `undefined tag "render"`, Line: 1, Column: 1}},
		{"object without end", "a\nb {{ task.input.x ", template.RenderError{Code: "InvalidTemplate", Message: `"{{" has no "}}"`, Line: 2, Column: 3}},
		{"tag without end", "{% if x ", template.RenderError{Code: "InvalidTemplate", Message: `"{%" has no "%}"`, Line: 1, Column: 1}},
		{"block without end", "x\n{% for a in b %}", template.RenderError{Code: "InvalidTemplate", Message: "{% for %} has no {% endfor %}", Line: 2, Column: 1}},
		{"bad expression", "\n{{ a | | b }}", template.RenderError{Code: "InvalidTemplate", Message: `the name of a filter is expected before "| b" in "a | | b"`, Line: 2, Column: 1}},
		{"odd tag", "{%(x)%}", template.RenderError{Code: "InvalidTemplate", Message: `"{%(x)%}" is not a tag: expected {% name … %}`, Line: 1, Column: 1}},
		{"comment without end", "{% comment %} x", template.RenderError{Code: "InvalidTemplate", Message: `{% comment %} has no {% endcomment %}`, Line: 1, Column: 1}},
		{"division by zero", "{{ 1 | divided_by: 0 }}", template.RenderError{Code: "RenderingFailed", Message: `the filter "divided_by" failed: division by zero`, Line: 1, Column: 1}},
		{"endless loop", "{% for i in (1..9000000000) %}{% endfor %}", template.RenderError{Code: "LimitExceeded", Message: "the loops take more than 200000 rounds", Line: 1, Column: 1}},
		{"exploding string", `{% assign s = "` + long + `" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 242}},
		{"exploding replace", `{% assign s = "` + long + `" %}{% for i in (1..60) %}{% assign s = s | replace: "x", s %}{% endfor %}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 242}},
		{"huge range as a list", `{{ (1..9000000000) | join: "," }}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 1}},
		{"huge range as JSON", `{{ (1..9000000000) | to_json }}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 1}},
		{"range whose size overflows", `{{ (1..1152921504606846976) | join: "," }}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 1}},
		{"range whose length overflows", `{{ (-9223372036854775807..9223372036854775807) | join: "," }}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 1}},
		{"capture bomb", `{% capture c %}{% for i in (1..150000) %}` + strings.Repeat("y", 2000) + `{% endfor %}{% endcapture %}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 16}},
		{"loops within loops", "{% for a in (1..1000) %}{% for b in (1..1000) %}{% for c in (1..1000) %}{% endfor %}{% endfor %}{% endfor %}", template.RenderError{Code: "LimitExceeded", Message: "the loops take more than 200000 rounds", Line: 1, Column: 49}},
		{"exploding join", `{% assign s = "` + long + `" %}{% for i in (1..60) %}{% assign s = s | split: "" | join: s %}{% endfor %}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 242}},
		{"exploding capture", `{% assign s = "` + long + `" %}{% for i in (1..60) %}{% capture s %}{{ s }}{{ s }}{{ s }}{% endcapture %}{% endfor %}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 264}},
		{"exploding escapes", `{% assign s = "` + strings.Repeat("&", 200) + `" %}{% for i in (1..60) %}{% assign s = s | url_encode | append: s %}{% endfor %}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 242}},
		{"exploding array", `{% assign s = "a,b,c" | split: "," %}{% for i in (1..60) %}{% assign s = s | concat: s %}{% endfor %}`, template.RenderError{Code: "LimitExceeded", Message: "the template makes too much out of its input", Line: 1, Column: 60}},
		{"exploding number", `{% assign n = 9 %}{% for i in (1..2000) %}{% assign n = n | times: n %}{% endfor %}{{ n | divided_by: 0 }}`, template.RenderError{Code: "RenderingFailed", Message: `the filter "divided_by" failed: division by zero`, Line: 1, Column: 84}},
		{"a table of many columns", `{% tablerow i in (1..9000000) cols: 1 %}{% endtablerow %}`, template.RenderError{Code: "LimitExceeded", Message: "the loops take more than 200000 rounds", Line: 1, Column: 1}},
		{"brackets within brackets", "{{ " + strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200) + " }}", template.RenderError{Code: "LimitExceeded", Message: "brackets are nested more than 50 deep", Line: 1, Column: 1}},
		{"indices within indices", "{{ " + strings.Repeat("a[", 200) + "1" + strings.Repeat("]", 200) + " }}", template.RenderError{Code: "LimitExceeded", Message: "brackets are nested more than 50 deep", Line: 1, Column: 1}},
		{"liquid within liquid", strings.Repeat("{% if true %}", 99) + "{% liquid\n if true\n if true\n if true\n endif\n endif\n endif\n%}" + strings.Repeat("{% endif %}", 99), template.RenderError{Code: "LimitExceeded", Message: "blocks are nested more than 100 deep", Line: 3, Column: 2}},
		{"a filter with too many arguments", "{{ 1 | plus: 1, 2 }}", template.RenderError{Code: "InvalidTemplate", Message: `the filter "plus" takes 1 argument`, Line: 1, Column: 1}},
		{"a line of liquid", "{% liquid\n  assign a = 1\n  echo a | nope\n%}", template.RenderError{Code: "InvalidTemplate", Message: `there is no filter "nope"`, Line: 3, Column: 3}},
		{"a name of the rewriting's", "{{ __c1 }}", template.RenderError{Code: "InvalidTemplate", Message: `"__c1": names that begin with two underscores are not for templates`, Line: 1, Column: 1}},
		{"a filter of the rewriting's", "{{ 1 | __items: 7 }}", template.RenderError{Code: "InvalidTemplate", Message: `there is no filter "__items"`, Line: 1, Column: 1}},
		{"a tag of the rewriting's", "{% __tick 7 %}", template.RenderError{Code: "InvalidTemplate", Message: `undefined tag "__tick"`, Line: 1, Column: 1}},
		{"a library's filter that shows its insides", "{{ 1 | inspect }}", template.RenderError{Code: "InvalidTemplate", Message: `there is no filter "inspect"`, Line: 1, Column: 1}},
		{"a word of the grammar as a name", "{% assign in = 1 %}", template.RenderError{Code: "InvalidTemplate", Message: "what stands here is not Liquid", Line: 1, Column: 1}},
		{"the second of two constructs on a line", "{{ 1 }}\n{{ 1 }} {{ 1 | divided_by: 0 }} {{ 2 }}", template.RenderError{Code: "RenderingFailed", Message: `the filter "divided_by" failed: division by zero`, Line: 2, Column: 9}},
		{"an end without a beginning", "a{% endif %}", template.RenderError{Code: "InvalidTemplate", Message: "{% endif %} has no {% if %}", Line: 1, Column: 2}},
		{"wide date", `{{ "now" | date: "%999999d" }}`, template.RenderError{Code: "RenderingFailed", Message: `the filter "date" failed: a field of the format is too wide`, Line: 1, Column: 1}},
		{"nesting", strings.Repeat("{% if true %}", 200), template.RenderError{Code: "LimitExceeded", Message: "blocks are nested more than 100 deep", Line: 1, Column: 1301}},
		{"long construct", "{{ 'a" + strings.Repeat("x", 9000) + "' }}", template.RenderError{Code: "LimitExceeded", Message: "{{ … }} is longer than 8192 characters", Line: 1, Column: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs := template.Render(context.Background(), c.src, json.RawMessage(input), granting, template.Limits{Time: time.Minute})
			if out != "" {
				t.Errorf("a page came with the error: %q", out[:min(len(out), 100)])
			}
			if d := cmp.Diff([]template.RenderError{c.want}, errs); d != "" {
				t.Error(d)
			}
		})
	}
}

// An author sees what is wrong in several places at once, in their order.
func TestSeveralErrors(t *testing.T) {
	got := template.Check("{{ a | }}\n{% for in x %}{% endfor %}\n {{ 'b }}{% if a == %}{% endif %}\n{% nope %}{% else %}")
	want := []template.RenderError{
		{Code: "InvalidTemplate", Message: `the name of a filter is expected at the end of "a |"`, Line: 1, Column: 1},
		{Code: "InvalidTemplate", Message: `"in" is expected after "in" in "in x"`, Line: 2, Column: 1},
		{Code: "InvalidTemplate", Message: `a string has no closing ' in "'b"`, Line: 3, Column: 2},
		{Code: "InvalidTemplate", Message: `"a ==" is not a Liquid expression`, Line: 3, Column: 10},
		{Code: "InvalidTemplate", Message: `undefined tag "nope"`, Line: 4, Column: 1},
		{Code: "InvalidTemplate", Message: `{% else %} does not stand where it belongs`, Line: 4, Column: 11},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := len(template.Check(strings.Repeat("{% nope %}", 5000))); n != 20 {
		t.Errorf("%d errors are reported", n)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		src  string
		in   string
		lim  template.Limits
	}{
		{"source", strings.Repeat("x", 101), `{}`, template.Limits{Source: 100}},
		{"output", "{% for i in (1..50) %}xxxxx{% endfor %}", `{}`, template.Limits{Output: 100}},
		{"input size", "x", `{"a":"` + strings.Repeat("x", 100) + `"}`, template.Limits{Input: 50}},
		{"grants", "{% for i in (1..5) %}{% capture u %}s3://bucket/{{ i }}{% endcapture %}{{ u | grant_read_access }}{% endfor %}", `{}`, template.Limits{Grants: 4}},
		{"time", "{% for i in (1..200000) %}{% for k in (1..200000) %}{% endfor %}{% endfor %}", `{}`, template.Limits{Time: time.Nanosecond}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errs := template.Render(context.Background(), c.src, json.RawMessage(c.in), granting, c.lim)
			if len(errs) != 1 || errs[0].Code != template.CodeLimitExceeded {
				t.Errorf("got %v", errs)
			}
		})
	}
}

func TestInput(t *testing.T) {
	for _, c := range []struct{ name, in, code string }{
		{"deep", strings.Repeat("[", 500) + strings.Repeat("]", 500), template.CodeInvalidParameters},
		{"not JSON", `{"a":`, template.CodeInvalidParameters},
		{"two values", `{} {}`, template.CodeInvalidParameters},
		{"huge number", `{"a":1e999}`, ""},
		{"repeated member", `{"a":1,"a":2}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errs := template.Render(context.Background(), "{{ task.input | to_json }}", json.RawMessage(c.in), granting, template.Limits{})
			got := ""
			if len(errs) > 0 {
				got = errs[0].Code
			}
			if got != c.code {
				t.Errorf("got %v, want %q", errs, c.code)
			}
		})
	}
}

func TestOneGrantPerObject(t *testing.T) {
	asked := 0
	fn := template.Functions{GrantReadAccess: func(context.Context, string, string) (string, error) { asked++; return signed, nil }}
	out, errs := template.Render(context.Background(), `{% for i in (1..3) %}{{ "s3://bucket/k" | grant_read_access }} {% endfor %}`, nil, fn, template.Limits{})
	if len(errs) > 0 || asked != 1 || strings.Count(out, signed) != 3 {
		t.Errorf("asked %d times, out %q, errs %v", asked, out, errs)
	}
}

// The cause of a refused grant stays inside.
func TestRefusedGrantSaysLittle(t *testing.T) {
	fn := template.Functions{GrantReadAccess: func(context.Context, string, string) (string, error) {
		return "", fault.E("access.Mint", fault.Denied, "the role may not read it", errors.New("inner secret"))
	}}
	_, errs := template.Render(context.Background(), `{{ "s3://bucket/k" | grant_read_access }}`, nil, fn, template.Limits{})
	want := []template.RenderError{{Code: "AccessDenied", Message: "access to s3://bucket/k could not be granted: the role may not read it", Line: 1, Column: 1}}
	if d := cmp.Diff(want, errs); d != "" {
		t.Error(d)
	}
}

// A media URL is printed raw. This pins that a URL that could end an attribute,
// a string or a url(), or that HTML would change, is refused instead.
func TestUnfitMediaURL(t *testing.T) {
	for _, u := range []string{"http://h/a\"b", "http://h/a'b", "http://h/a b", "http://h/a)b", "http://h/a<b", "http://h/a\\b", "http://h/é", "http://h/?a=1&amp;b=2", "http://h/?a=1&lt=2", "http://h/a\nb"} {
		fn := template.Functions{GrantReadAccess: func(context.Context, string, string) (string, error) { return u, nil }}
		out, errs := template.Render(context.Background(), `{{ "s3://bucket/k" | grant_read_access }}`, nil, fn, template.Limits{})
		if out != "" || len(errs) != 1 {
			t.Errorf("%q was printed: %q", u, out)
		}
	}
	if html.UnescapeString(signed) != signed {
		t.Fatal("the sample URL is not what this test takes it for")
	}
}

func TestParseObjectURL(t *testing.T) {
	for _, c := range []struct {
		in, bucket, key string
		ok              bool
	}{
		{"s3://bucket/a/b c.jpg", "bucket", "a/b c.jpg", true},
		{"s3://bucket/a%20b", "bucket", "a%20b", true},
		{"s3://bucket", "", "", false},
		{"s3://bucket/", "", "", false},
		{"s3:///key", "", "", false},
		{"s3://BUCKET/key", "", "", false},
		{"S3://bucket/key", "", "", false},
		{"s3://bucket/\x00", "", "", false},
		{"s3://bucket/" + strings.Repeat("k", 1025), "", "", false},
		{"https://s3.amazonaws.com/bucket/k", "bucket", "k", true},
		{"http://s3.amazonaws.com/bucket/k", "bucket", "k", true},
		{"https://s3.eu-west-1.amazonaws.com/bucket/a%20b", "bucket", "a b", true},
		{"https://s3-eu-west-1.amazonaws.com/bucket/k", "bucket", "k", true},
		{"https://bucket.s3.eu-west-1.amazonaws.com/a/b", "bucket", "a/b", true},
		{"https://my.bucket.s3.amazonaws.com/k", "my.bucket", "k", true},
		{"https://s3.dualstack.us-east-2.amazonaws.com/bucket/k", "bucket", "k", true},
		{"https://bucket.s3.cn-north-1.amazonaws.com.cn/k", "bucket", "k", true},
		{"http://127.0.0.1:9000/bucket/k", "bucket", "k", true},
		{"http://127.0.0.1:9001/bucket/k", "", "", false},
		{"https://bucket.s3.example.org/k", "bucket", "k", true},
		{"https://evil-s3.example.org/bucket/k", "", "", false},
		{"https://s3.amazonaws.com.evil.org/bucket/k", "", "", false},
		{"https://s3.amazonaws.com/bucket/k?X-Amz-Signature=1", "", "", false},
		{"https://s3.amazonaws.com/bucket/k#f", "", "", false},
		{"https://u:p@s3.amazonaws.com/bucket/k", "", "", false},
		{"ftp://s3.amazonaws.com/bucket/k", "", "", false},
		{"javascript:alert(1)", "", "", false},
		{" ", "", "", false},
		{"", "", "", false},
	} {
		b, k, ok := template.ParseObjectURL(c.in, []string{"127.0.0.1:9000", "s3.example.org"})
		if ok != c.ok || ok && (b != c.bucket || k != c.key) {
			t.Errorf("ParseObjectURL(%q) = %q, %q, %v", c.in, b, k, ok)
		}
	}
}

func TestBuiltin(t *testing.T) {
	const prior = `,"labelAttribute":"old-ref","manifestLine":{"old-ref":%s,"old-ref-metadata":{"class-map":{"0":"A & B","1":"it's"},"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff"},"1":{"class-name":"it's","hex-color":"#2acf59"}}}}`
	boxes := fmt.Sprintf(prior, `{"annotations":[{"class_id":1,"left":1,"top":2,"width":3,"height":4}]}`)
	mask := fmt.Sprintf(prior, `"s3://out/0_2026.png"`)
	const box = `{ label: &#34;it\u0027s&#34;, left: 1, top: 2, width: 3, height: 4 },`
	const color = `&#34;it\u0027s&#34;: { color: &#34;#2acf59&#34; },`
	const png = `src: 'https://media/out/0_2026.png?X-Amz-Date=1&X-Amz-Signature=2'`
	for name, c := range map[string]struct {
		more string   // members of the input
		want []string // in the page
	}{
		"image-classification": {}, "image-classification-multilabel": {}, "object-detection": {}, "semantic-segmentation": {},
		"text-classification": {}, "text-classification-multilabel": {}, "named-entity-recognition": {}, "video-classification": {},
		"object-detection-adjustment":        {boxes, []string{box}},
		"object-detection-verification":      {boxes, []string{box, `labels: [&#34;A \u0026 B&#34;, &#34;it\u0027s&#34;, ]`, "<worker-comment"}},
		"semantic-segmentation-adjustment":   {mask, []string{color, png}},
		"semantic-segmentation-verification": {mask, []string{color, png, "<worker-comment"}},
	} {
		src, ok := template.Builtin(name)
		if !ok {
			t.Errorf("no template for %s", name)
			continue
		}
		in := `{"taskObject":"s3://bucket/k","labels":["A & B","C"],"title":"T","description":"D < E","shortInstruction":"<i>short</i>"` + c.more + `}`
		out, errs := template.Render(context.Background(), src, json.RawMessage(in), granting, template.Limits{})
		if len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
		for _, want := range append(c.want, "<crowd-", "<i>short</i>", "D &lt; E", `[&#34;A \u0026 B&#34;,&#34;C&#34;]`) {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", name, want, out)
			}
		}
		if strings.Contains(out, "BACKGROUND") {
			t.Errorf("%s: the background is a label in\n%s", name, out)
		}
	}
	for _, name := range []string{"", "custom", "../doc", "builtin/object-detection"} {
		if _, ok := template.Builtin(name); ok {
			t.Errorf("there is a template for %q", name)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{"{{ a | b }}", "{% for x in (1..3) %}{{ x }}{% endfor %}", "{% raw %}{{{% endraw %}", "{% capture a %}{{ task.input.a[0] }}{% endcapture %}{{ a }}", "{{ '%' | date: '%Y' }}", "{% # %}", "{{ %assign a = 1 }}", "{% case 1 %}{% when 2 %}{% endcase %}", "{{ task.input.a | where: 'b', 1 | map: 'c' | join: ',' }}", "{% liquid\nfor i in (1..2)\necho i\nendfor\n%}", "{{ \"}}\" }}{{- ((1..2)) -}}", "{% comment %}{% raw %}{% endcomment %}{% endraw %}{% endcomment %}"} {
		f.Add(s, `{"a":[1,"b",{"c":null}]}`)
	}
	for _, c := range standard {
		f.Add(c.src, liquidInput)
	}
	fn := granting
	f.Fuzz(func(t *testing.T, src, in string) {
		out, errs := template.Render(context.Background(), src, json.RawMessage(in), fn, template.Limits{Work: 1 << 20, Output: 1 << 20, Rounds: 1000, Time: time.Second})
		if len(errs) > 0 && out != "" {
			t.Errorf("page and error: %q, %v", out, errs)
		}
		for _, e := range errs {
			if e.Code == "" || e.Message == "" {
				t.Errorf("an error says nothing: %+v", e)
			}
			if lines := strings.Count(src, "\n") + 1; e.Line < 0 || e.Line > lines || e.Column < 0 || strings.Contains(e.Message, "goroutine") {
				t.Errorf("an error without a place in the template: %+v", e)
			}
		}
	})
}

var _ error = (*template.RenderError)(nil)

func TestRenderErrorText(t *testing.T) {
	var err error = &template.RenderError{Code: "X", Message: "m", Line: 3, Column: 4}
	var re *template.RenderError
	if !errors.As(err, &re) || err.Error() != "X: m (line 3, column 4)" {
		t.Errorf("got %q", err)
	}
}
