package template_test

import (
	"context"
	"encoding/json"
	"testing"

	"fiducial/internal/template"

	"github.com/google/go-cmp/cmp"
)

// liquidInput is what the cases of standard Liquid look at.
const liquidInput = `{
  "n": 7, "f": 2.5, "neg": -3, "text": "The quick brown fox", "word": "fox", "blank": "", "spaces": "   ", "none": null, "yes": true, "no": false,
  "list": ["b", "a", "c", "B"], "nums": [3, 1, 2, 3], "empty": [], "object": {}, "nested": [[1, 2], [3, [4]]],
  "rows": [{"name": "Ada", "age": 36, "team": "x", "on": true}, {"name": "Bob", "age": 25, "team": "y", "on": false}, {"name": "Cid", "age": 41, "team": "x"}],
  "map": {"one": 1, "two": 2}, "key": "two", "source-ref": "s3://b/k", "a-b": {"c-d": [10, 20]}, "i": 1, "html": "<b>bold</b> & more", "date": "2026-03-09T14:05:06Z"
}`

// standard is Liquid as it is documented for everybody, in cases of our own. Every
// output is autoescaped here, so that a quote comes out as &#39;.
var standard = []struct{ name, src, want string }{
	// Output, literals and paths.
	{"string literals", `{{ 'a' }}{{ "b" }}`, "ab"},
	{"a backslash is a backslash", `{{ "a\n" }}{{ 'a\' }}`, `a\na\`},
	{"a string with the other quote", `{{ "it's" | skip_autoescape }}`, "it's"},
	{"a string with closing braces", `{{ "}}" }}{% assign x = "%}" %}{{ x }}`, "}}%}"},
	{"integers and floats", `{{ 12 }} {{ -3 }} {{ 1.50 }} {{ 2.0 }}`, "12 -3 1.5 2.0"},
	{"true, false, nil", `{{ true }}{{ false }}{{ nil }}{{ null }}`, "truefalse"},
	{"path", `{{ task.input.a-b.c-d[1] }}`, "20"},
	{"index by string", `{{ task.input["a-b"]['c-d'].first }}`, "10"},
	{"index by path", `{{ task.input.map[task.input.key] }}`, "2"},
	{"index by path of a path", `{{ task.input.nums[task.input.nums[1]] }}`, "1"},
	{"negative index", `{{ task.input.list[-1] }}`, "B"},
	{"index beyond", `[{{ task.input.list[9] }}{{ task.input.list.x.y[0] }}]`, "[]"},
	{"size of array, string, object", `{{ task.input.list.size }} {{ task.input.word.size }} {{ task.input.map.size }}`, "4 3 2"},
	{"first and last", `{{ task.input.list.first }}{{ task.input.list.last }}`, "bB"},
	{"white space control", "a {{- 1 -}} b{%- if true -%} c {%- endif %}", "a1bc"},
	{"range by names", `{% assign k = 3 %}{% for j in (1..k) %}{{ j }}{% endfor %}`, "123"},
	{"range by paths and filters", `{% assign last = task.input.list.size | minus: 1 %}{% for j in (0..last) %}{{ task.input.list[j] }}{% endfor %}`, "bacB"},
	{"range downwards is empty", `{% for j in (3..1) %}{{ j }}{% else %}none{% endfor %}`, "none"},
	{"empty output", `a{{ }}b`, "ab"},
	{"filter chain", `{{ "a,b" | split: "," | reverse | join: "-" | upcase }}`, "B-A"},

	// Conditions.
	{"if, elsif, else", `{% if task.input.n == 1 %}a{% elsif task.input.n == 7 %}b{% else %}c{% endif %}`, "b"},
	{"unless, else", `{% unless task.input.n == 7 %}a{% else %}b{% endunless %}`, "b"},
	{"unless, elsif", `{% unless true %}a{% elsif task.input.n == 7 %}b{% endunless %}`, "b"},
	{"comparisons", `{% if 1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3 and 1 != 2 and 1 == 1.0 %}y{% endif %}`, "y"},
	{"<> is not equal", `{% if 1 <> 2 %}y{% endif %}`, "y"},
	{"and, or from the right", `{% if true or false and false %}y{% else %}n{% endif %}{% if false and false or true %}y{% else %}n{% endif %}`, "yn"},
	{"only false and nil are false", `{% if 0 %}a{% endif %}{% if "" %}b{% endif %}{% if task.input.empty %}c{% endif %}{% if nil %}d{% endif %}{% if task.input.no %}e{% endif %}`, "abc"},
	{"contains in a string", `{% if task.input.text contains "quick" %}y{% endif %}`, "y"},
	{"contains in an array", `{% if task.input.list contains "a" %}y{% endif %}{% if task.input.nums contains 9 %}n{% endif %}`, "y"},
	{"contains in an object", `{% if task.input.map contains "two" %}y{% endif %}`, "y"},
	{"contains in nothing", `{% if task.input.nope contains "a" %}n{% else %}y{% endif %}`, "y"},
	{"empty", `{% if task.input.empty == empty %}a{% endif %}{% if task.input.blank == empty %}b{% endif %}{% if task.input.object == empty %}c{% endif %}{% if task.input.spaces == empty %}d{% endif %}{% if task.input.none == empty %}e{% endif %}`, "abc"},
	{"blank", `{% if task.input.spaces == blank %}a{% endif %}{% if task.input.none == blank %}b{% endif %}{% if task.input.no == blank %}c{% endif %}{% if task.input.word == blank %}d{% endif %}{% if task.input.word != blank %}e{% endif %}`, "abce"},
	{"a number is no string", `{% if 7 == "7" %}y{% else %}n{% endif %}`, "n"},
	{"nil is less than nothing", `{% if nil < 1 or nil > 1 %}y{% else %}n{% endif %}`, "n"},
	{"strings compare", `{% if "a" < "b" %}y{% endif %}`, "y"},
	{"arrays compare", `{% if task.input.empty == task.input.empty %}y{% endif %}`, "y"},
	{"case, when, else", `{% case task.input.n %}{% when 1, 2 %}a{% when 6 or 7 %}b{% else %}c{% endcase %}`, "b"},
	{"case by string", `{% case task.input.word %} ignored {% when "fox" %}a{% else %}b{% endcase %}`, "a"},
	{"case, no match", `[{% case 5 %}{% when 1 %}a{% endcase %}]`, "[]"},

	// Loops.
	{"for", `{% for x in task.input.list %}{{ x }}{% endfor %}`, "bacB"},
	{"for over nothing takes else", `{% for x in task.input.empty %}x{% else %}none{% endfor %}{% for x in task.input.nope %}x{% else %}none{% endfor %}`, "nonenone"},
	{"limit and offset", `{% for x in task.input.list limit:2 offset:1 %}{{ x }}{% endfor %}`, "ac"},
	{"limit and offset by names", `{% assign k = 2 %}{% for x in task.input.list limit: k offset: task.input.i %}{{ x }}{% endfor %}`, "ac"},
	{"offset: continue", `{% for x in task.input.list limit: 2 %}{{ x }}{% endfor %}|{% for x in task.input.list offset: continue %}{{ x }}{% endfor %}`, "ba|cB"},
	{"reversed", `{% for x in task.input.list reversed %}{{ x }}{% endfor %}{% for x in (1..3) reversed %}{{ x }}{% endfor %}`, "Bcab321"},
	{"reversed with limit", `{% for x in task.input.list reversed limit: 2 %}{{ x }}{% endfor %}`, "ab"},
	{"break and continue", `{% for x in (1..5) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}`, "13"},
	{"forloop", `{% for x in (1..2) %}{{ forloop.index }}{{ forloop.index0 }}{{ forloop.rindex }}{{ forloop.rindex0 }}{{ forloop.first }}{{ forloop.last }}{{ forloop.length }} {% endfor %}`, "1021truefalse2 2110falsetrue2 "},
	{"parentloop", `{% for x in (1..2) %}{% for y in (1..2) %}{{ forloop.parentloop.index }}{{ forloop.index }} {% endfor %}{% endfor %}`, "11 12 21 22 "},
	{"for over an object", `{% for p in task.input.map %}{{ p[0] }}={{ p[1] }};{{ p.first }}={{ p.last }};{% endfor %}`, "one=1;one=1;two=2;two=2;"},
	{"for over a string", `{% for c in task.input.word %}{{ c }};{% endfor %}`, "fox;"},
	{"for does not leave its variable", `{% for x in (1..2) %}{% endfor %}[{{ x }}]`, "[]"},
	{"assign within a loop stays", `{% for x in (1..3) %}{% assign last = x %}{% endfor %}{{ last }}`, "3"},
	{"cycle", `{% for x in (1..4) %}{% cycle "a", "b", "c" %}{% endfor %}`, "abca"},
	{"cycle in groups", `{% for x in (1..2) %}{% cycle "g": "a", "b" %}{% cycle "h": "a", "b" %}{% endfor %}`, "aabb"},
	{"cycle of names and numbers", `{% assign v = "z" %}{% for x in (1..3) %}{% cycle v, 2 %}{% endfor %}`, "z2z"},
	{"tablerow", `{% tablerow x in (1..3) cols: 2 %}{{ x }}{% endtablerow %}`, "<tr class=\"row1\">\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\n<tr class=\"row2\"><td class=\"col1\">3</td></tr>\n"},
	{"tablerowloop", `{% tablerow x in (1..2) %}{{ tablerowloop.col }}{{ tablerowloop.row }}{{ tablerowloop.col_first }}{{ tablerowloop.last }}{% endtablerow %}`, "<tr class=\"row1\">\n<td class=\"col1\">11truefalse</td><td class=\"col2\">21falsetrue</td></tr>\n"},

	// Variables and the rest.
	{"assign", `{% assign x = task.input.n | plus: 1 %}{{ x }}`, "8"},
	{"assign of an array", `{% assign x = "a,b,c" | split: "," %}{{ x[1] }}{{ x.size }}`, "b3"},
	{"capture", `{% capture x %}a{{ task.input.n }}{% endcapture %}{{ x }}{{ x }}`, "a7a7"},
	{"capture with a quoted name", `{% capture "x" %}a{% endcapture %}{{ x }}`, "a"},
	{"increment and decrement", `{% increment c %}{% increment c %}{% decrement c %}{% decrement d %}{{ c }}`, "011-11"},
	{"increment is apart from assign", `{% assign c = 10 %}{% increment c %}{{ c }}`, "010"},
	{"echo", `{% echo task.input.word | upcase %}`, "FOX"},
	{"liquid", "{% liquid\n  assign x = 2\n  # a note\n  for i in (1..x)\n    if i == 2\n      echo 'two '\n    else\n      echo i\n    endif\n  endfor\n%}", "1two "},
	{"comment", `a{% comment %}{% if %}{{ x {% endcomment %}b`, "ab"},
	{"nested comment", `a{% comment %}x{% comment %}y{% endcomment %}z{% endcomment %}b`, "ab"},
	{"inline comment", "a{% # note %}{%- # one\n  # two -%}b", "ab"},
	{"raw", `{% raw %}{{ x }}{% if %}{% endraw %}`, `{{ x }}{% if %}`},
	{"ifchanged", `{% for x in task.input.nums %}{% ifchanged %}{{ x }}{% endifchanged %}{% endfor %}{% for x in (1..3) %}{% ifchanged %}k{% endifchanged %}{% endfor %}`, "3123k"},

	// Filters on numbers.
	{"abs", `{{ -17 | abs }} {{ 4 | abs }} {{ "-19.86" | abs }}`, "17 4 19.86"},
	{"at_least, at_most", `{{ 4 | at_least: 5 }}{{ 4 | at_least: 3 }}{{ 4 | at_most: 5 }}{{ 4 | at_most: 3 }}`, "5443"},
	{"ceil, floor", `{{ 1.2 | ceil }}{{ 2.0 | ceil }}{{ "3.5" | ceil }} {{ 1.2 | floor }}{{ -1.2 | floor }}`, "224 1-2"},
	{"round", `{{ 1.2 | round }}{{ 2.7 | round }} {{ 183.357 | round: 2 }} {{ -2.5 | round }}`, "13 183.36 -3"},
	{"divided_by an integer", `{{ 16 | divided_by: 4 }} {{ 5 | divided_by: 3 }} {{ -7 | divided_by: 2 }}`, "4 1 -4"},
	{"divided_by a float", `{{ 20 | divided_by: 7.0 }} {{ 20 | divided_by: 5.0 }}`, "2.857142857142857 4.0"},
	{"minus, plus, times", `{{ 4 | minus: 2 }} {{ 183.357 | minus: 12 }} {{ 4 | plus: 2 }} {{ "3" | plus: "4" }} {{ 3 | times: 2 }} {{ 183.357 | times: 12 }}`, "2 171.357 6 7 6 2200.284"},
	{"modulo", `{{ 3 | modulo: 2 }} {{ 183.357 | modulo: 12 }} {{ -7 | modulo: 3 }}`, "1 3.357 2"},
	{"decimals stay decimal", `{{ 0.1 | plus: 0.2 }} {{ 1.1 | times: 3 }}`, "0.3 3.3"},

	// Filters on strings.
	{"append, prepend", `{{ "b" | append: ".html" | prepend: "a" }}`, "ab.html"},
	{"capitalize", `{{ "my GREAT title" | capitalize }}`, "My great title"},
	{"downcase, upcase", `{{ "Parker" | downcase }}{{ "Parker" | upcase }}`, "parkerPARKER"},
	{"escape", `{{ task.input.html | escape }}`, "&lt;b&gt;bold&lt;/b&gt; &amp; more"},
	{"escape_once", `{{ "1 &lt; 2 &amp; 3 & 4" | escape_once }}`, "1 &lt; 2 &amp; 3 &amp; 4"},
	{"h", `{{ "<" | h }}`, "&lt;"},
	{"newline_to_br", "{% capture s %}a\nb{% endcapture %}{{ s | newline_to_br | skip_autoescape }}", "a<br />\nb"},
	{"remove, remove_first, remove_last", `{{ "rain rain" | remove: "ra" }} {{ "rain rain" | remove_first: "ra" }} {{ "rain rain" | remove_last: "ra" }}`, "in in in rain rain in"},
	{"replace, replace_first, replace_last", `{{ "a a a" | replace: "a", "b" }} {{ "a a a" | replace_first: "a", "b" }} {{ "a a a" | replace_last: "a", "b" }}`, "b b b b a a a a b"},
	{"slice of a string", `{{ "Liquid" | slice: 0 }}{{ "Liquid" | slice: 2, 5 }}{{ "Liquid" | slice: -3, 2 }}[{{ "Liquid" | slice: 9 }}]`, "Lquidui[]"},
	{"slice of a string in runes", `{{ "aé日x" | slice: 1, 2 }}`, "é日"},
	{"slice of an array", `{{ task.input.list | slice: 1, 2 | join }}`, "a c"},
	{"split", `{{ "a, b" | split: ", " | join: "+" }}{{ "abc" | split: "" | join: "+" }}{{ " a  b " | split: " " | join: "+" }}`, "a+ba+b+ca+b"},
	{"split drops empty ends", `{{ "a,b,," | split: "," | size }}`, "2"},
	{"strip, lstrip, rstrip", `[{{ "  a  " | strip }}][{{ "  a  " | lstrip }}][{{ "  a  " | rstrip }}]`, "[a][a  ][  a]"},
	{"strip_html", `{{ "Have <em>you</em> <script>x</script><style>y</style><!-- z -->read" | strip_html }}`, "Have you read"},
	{"strip_newlines", "{% capture s %}a\nb\r\nc{% endcapture %}{{ s | strip_newlines }}", "abc"},
	{"truncate", `{{ "Ground control to Major Tom." | truncate: 20 }}|{{ "Ground control" | truncate: 10, "" }}|{{ "short" | truncate: 20 }}|{{ "Ground control" | truncate: 8, ", and" }}`, "Ground control to...|Ground con|short|Gro, and"},
	{"truncatewords", `{{ "Ground control to Major Tom." | truncatewords: 3 }}|{{ "a b c" | truncatewords: 1, "--" }}|{{ "a b" | truncatewords: 5 }}`, "Ground control to...|a--|a b"},
	{"url_encode, url_decode", `{{ "john@liquid.com a+b" | url_encode }} {{ "%27Stop%21%27+said" | url_decode | skip_autoescape }}`, "john%40liquid.com+a%2Bb 'Stop!' said"},
	{"base64", `{{ "one two" | base64_encode }} {{ "b25lIHR3bw==" | base64_decode }} {{ "a?b>" | base64_url_safe_encode }} {{ "YT9iPg==" | base64_url_safe_decode }}`, "b25lIHR3bw== one two YT9iPg== a?b&gt;"},
	{"size", `{{ "Ground control" | size }} {{ task.input.list | size }} {{ nil | size }}`, "14 4 0"},
	{"size counts characters", `{{ "é日" | size }}`, "2"},
	{"squish", `{{ "  a   b " | squish }}`, "a b"},

	// Filters on arrays.
	{"compact", `{{ task.input.rows | map: "on" | compact | size }}`, "2"},
	{"concat", `{{ task.input.nums | concat: task.input.list | join: "" }}`, "3123bacB"},
	{"first, last", `{{ task.input.list | first }}{{ task.input.list | last }}[{{ task.input.empty | first }}]`, "bB[]"},
	{"join", `{{ task.input.list | join: ", " }} {{ task.input.list | join }}`, "b, a, c, B b a c B"},
	{"map", `{{ task.input.rows | map: "name" | join: "," }}`, "Ada,Bob,Cid"},
	{"reverse", `{{ task.input.list | reverse | join: "" }}`, "Bcab"},
	{"sort", `{{ task.input.list | sort | join: "" }} {{ task.input.nums | sort | join: "" }} {{ task.input.rows | sort: "age" | map: "name" | join: "," }}`, "Babc 1233 Bob,Ada,Cid"},
	{"sort_natural", `{{ "zebra,octopus,giraffe,Sally" | split: "," | sort_natural | join: " " }}`, "giraffe octopus Sally zebra"},
	{"sort_natural by a member", `{{ task.input.rows | sort_natural: "name" | map: "name" | join: "," }}`, "Ada,Bob,Cid"},
	{"sum", `{{ task.input.nums | sum }} {{ task.input.rows | sum: "age" }} {{ task.input.empty | sum }}`, "9 102 0"},
	{"uniq", `{{ task.input.nums | uniq | join: "" }} {{ task.input.rows | uniq: "team" | map: "name" | join: "," }}`, "312 Ada,Bob"},
	{"where", `{{ task.input.rows | where: "team", "x" | map: "name" | join: "," }} {{ task.input.rows | where: "on" | map: "name" | join: "," }}`, "Ada,Cid Ada"},
	{"reject", `{{ task.input.rows | reject: "team", "x" | map: "name" | join: "," }} {{ task.input.rows | reject: "on" | map: "name" | join: "," }}`, "Bob Bob,Cid"},
	{"find, find_index, has", `{% assign r = task.input.rows | find: "age", 25 %}{{ r.name }} {{ task.input.rows | find_index: "age", 25 }} {{ task.input.rows | has: "age", 25 }}{{ task.input.rows | has: "age", 1 }}`, "Bob 1 truefalse"},
	{"flatten is not needed to join", `{{ task.input.nested | join: "," }}`, "1,2,3,4"},

	// The rest.
	{"date", `{{ task.input.date | date: "%a, %b %d, %y" }} {{ task.input.date | date: "%Y-%m-%d %H:%M:%S" }} {{ "March 14, 2016" | date: "%b %d, %y" }} {{ 0 | date: "%Y" }}`, "Mon, Mar 09, 26 2026-03-09 14:05:06 Mar 14, 16 1970"},
	{"date flags", `{{ task.input.date | date: "%-d.%-m. %e %j %I %p %B %A %s %%" }}`, "9.3.  9 068 02 PM March Monday 1773065106 %"},
	{"date of what is no date", `{{ "hello" | date: "%Y" }}`, "hello"},
	{"date now", `{{ "now" | date: "%Y" }}{{ "today" | date: "%Y" }}`, "20262026"},
	{"default", `{{ task.input.nope | default: 1 }}{{ "" | default: 2 }}{{ task.input.empty | default: 3 }}{{ false | default: 4 }}{{ 0 | default: 5 }}{{ "x" | default: 6 }}{{ false | default: true, allow_false: true }}`, "12340xfalse"},
}

func TestStandardLiquid(t *testing.T) {
	for _, c := range standard {
		t.Run(c.name, func(t *testing.T) {
			out, errs := template.Render(context.Background(), c.src, json.RawMessage(liquidInput), granting, template.Limits{})
			if len(errs) > 0 {
				t.Fatalf("%s\n%v", c.src, errs)
			}
			if d := cmp.Diff(c.want, out); d != "" {
				t.Errorf("%s\n%s", c.src, d)
			}
		})
	}
}

// differences are cases of standard Liquid that the library reads in its own way,
// which nothing around it can change. docs/templates.md names them.
var differences = []struct{ name, src, standard, gives string }{
	{"nil is not at most nil", `{% if nil <= nil %}y{% else %}n{% endif %}`, "n", "y"},
	{"when empty", `{% case "" %}{% when empty %}y{% else %}n{% endcase %}`, "y", "n"},
	{"assign does not change a loop's variable", `{% for x in (1..2) %}{% assign x = "a" %}{{ x }}{% endfor %}`, "12", "aa"},
}

func TestDifferences(t *testing.T) {
	for _, c := range differences {
		out, errs := template.Render(context.Background(), c.src, json.RawMessage(liquidInput), granting, template.Limits{})
		if len(errs) > 0 || out != c.gives {
			t.Errorf("%s: %q, %v; expected %q (the standard: %q). Where it is mended, move it to the cases above", c.name, out, errs, c.gives, c.standard)
		}
	}
}
