package template

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// The names of tags that only rewritten templates use.
const (
	tickTag      = "__tick"     // at the start of a loop's round
	cellTag      = "__cell"     // of a table
	tableEndTag  = "__tableend" // after it
	captureTag   = "__capture"
	changedTag   = "__ifchanged"
	cycleTag     = "__cycle"
	incrementTag = "__increment"
	decrementTag = "__decrement"
	stopTag      = "__stop" // break, continue outside of a loop
)

// plan is a template as the library is to read it, and what it does not know of.
type plan struct {
	text      string
	constants map[string]any
	loops     []loopPlan
	cycles    []cyclePlan
	places    []place
}

// place is where a line of the plan's text comes from. Every construct begins a
// line of its own there, so that the line of an error says which one it was.
type place struct {
	line int
	at   position
}

// at returns where a line of the plan's text comes from.
func (p *plan) at(line int) position {
	i := sort.Search(len(p.places), func(i int) bool { return p.places[i].line > line })
	if i == 0 {
		return position{}
	}
	return p.places[i-1].at
}

// composer makes a plan out of tokens. It goes on after an error in one construct,
// so that an author sees more than the first.
type composer struct {
	plan
	out   strings.Builder
	line  int
	lim   Limits
	stack []block
	floor int // blocks below it were begun outside of this {% liquid %}
	errs  []RenderError
	full  bool // nothing more is worth reporting
}

// block is a block that is open.
type block struct {
	token
	loop    int // index of a loop's plan; -1 for others
	hadElse bool
}

// loops reports whether the block is a loop, and its rounds are being read.
func (b block) loops() bool { return b.loop >= 0 && !b.hadElse }

// compose reads a template as a whole.
func compose(src string, lim Limits) (*plan, []RenderError) {
	tokens, err := scan(src)
	if err != nil {
		return nil, []RenderError{*err}
	}
	c := &composer{lim: lim, line: 1, plan: plan{constants: map[string]any{string(empty): value{empty}, string(blank): value{blank}}}}
	c.tokens(tokens)
	c.plan.text = c.out.String()
	return &c.plan, c.errs
}

func (c *composer) tokens(tokens []token) {
	for _, t := range tokens {
		var err error
		switch t.kind {
		case textToken:
			c.text(t)
		case rawToken:
			c.construct(t, "{{", c.constant(markup{text: t.text})+" | "+printFilter, "}}")
		case outputToken:
			err = c.output(t)
		case tagToken:
			err = c.tag(t)
		}
		c.note(t.at, err)
		if c.full {
			return
		}
	}
	if len(c.stack) > c.floor {
		t := c.stack[len(c.stack)-1]
		c.note(t.at, fmt.Errorf("{%% %s %%} has no {%% end%s %%}", t.name, t.name))
		c.full = true // the blocks around it have no end either
	}
}

func (c *composer) note(at position, err error) {
	if err == nil || c.full {
		return
	}
	e := RenderError{Code: CodeInvalidTemplate, Message: err.Error(), Line: at.line, Column: at.column}
	var own *RenderError
	if errors.As(err, &own) {
		e.Code, e.Message = own.Code, own.Message
		if own.Line > 0 {
			e.Line, e.Column = own.Line, own.Column
		}
	}
	c.errs = append(c.errs, e)
	c.full = len(c.errs) == maxErrors
}

// text writes text as it is. A brace at its end could make a construct with what
// follows, so it is written as one.
func (c *composer) text(t token) {
	head, brace := strings.CutSuffix(t.text, "{")
	c.write(head)
	if brace {
		c.construct(t, "{{", c.constant(markup{text: "{"})+" | "+printFilter, "}}")
	}
}

func (c *composer) write(s string) {
	c.out.WriteString(s)
	c.line += strings.Count(s, "\n")
}

// construct writes one {{ }} or {% %}, which holds the one line end that gives the
// next one a line of its own.
func (c *composer) construct(t token, open, inner, end string) {
	c.places = append(c.places, place{c.line, t.at})
	c.write(open + "\n" + inner + " " + end)
}

func (c *composer) put(t token, inner string) { c.construct(t, "{%", inner, "%}") }

// constant keeps a value, and returns the name under which a template finds it.
func (c *composer) constant(v any) string {
	name := "__c" + strconv.Itoa(len(c.constants))
	c.constants[name] = wrap(v)
	return name
}

// expression rewrites the whole of a construct's text.
func (c *composer) expression(t token) (string, error) {
	list, err := words(t.text)
	if err != nil {
		return "", err
	}
	return c.rewrite(t.text, list)
}

func (c *composer) output(t token) error {
	if strings.TrimSpace(t.text) == "" {
		return nil
	}
	e, err := c.expression(t)
	c.construct(t, "{{", e+" | "+printFilter, "}}")
	return err
}

func (c *composer) tag(t token) error {
	if base, ok := strings.CutPrefix(t.name, "end"); ok && slices.Contains(blockTags, base) {
		return c.end(t, base)
	}
	switch t.name {
	case "assign":
		return c.assign(t)
	case "capture":
		return c.capture(t)
	case "if", "unless", "case":
		return c.conditional(t)
	case "elsif", "else", "when":
		return c.clause(t)
	case "for", "tablerow":
		return c.loop(t)
	case "ifchanged":
		c.put(t, changedTag)
		c.push(t, -1)
		return bare(t)
	case "break", "continue":
		return c.jump(t)
	case "cycle":
		return c.cycle(t)
	case "increment", "decrement":
		return c.count(t)
	case "echo":
		return c.output(t)
	case "liquid":
		return c.lines(t)
	}
	return fmt.Errorf("undefined tag %q", t.name)
}

var blockTags = []string{"capture", "if", "unless", "case", "for", "tablerow", "ifchanged", "comment", "raw"}

// bare refuses arguments.
func bare(t token) error {
	if strings.TrimSpace(t.text) != "" {
		return fmt.Errorf("%q is not expected after %q", brief(t.text), t.name)
	}
	return nil
}

func (c *composer) push(t token, loop int) {
	c.stack = append(c.stack, block{token: t, loop: loop})
	if len(c.stack) <= c.lim.Nesting {
		return
	}
	c.note(t.at, &RenderError{Code: CodeLimitExceeded, Message: fmt.Sprintf("blocks are nested more than %d deep", c.lim.Nesting)})
	c.full = true
}

func (c *composer) end(t token, base string) error {
	if len(c.stack) == c.floor || c.stack[len(c.stack)-1].name != base {
		return fmt.Errorf("{%% %s %%} has no {%% %s %%}", t.name, base)
	}
	b := c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
	switch base {
	case "unless":
		c.put(t, "endif")
	case "capture":
		c.put(t, "end"+captureTag)
	case "ifchanged":
		c.put(t, "end"+changedTag)
	case "tablerow":
		c.put(t, "endfor")
		c.put(t, tableEndTag+" "+strconv.Itoa(b.loop))
	default:
		c.put(t, t.name)
	}
	return bare(t)
}

func (c *composer) assign(t token) error {
	list, err := words(t.text)
	if err != nil {
		return err
	}
	if len(list) == 0 || list[0].kind != nameWord || strings.HasPrefix(list[0].text, "__") {
		return fmt.Errorf("the name of a variable is expected in %q", brief(t.text))
	}
	if len(list) < 2 || !list[1].is("=") {
		return fmt.Errorf(`"=" is expected after %q in %q`, list[0].text, brief(t.text))
	}
	e, err := c.rewrite(t.text, list[2:])
	c.put(t, "assign "+list[0].text+" = "+e)
	return err
}

// capture takes a name, or one in quotes.
func (c *composer) capture(t token) error {
	list, err := words(t.text)
	name := ""
	if err == nil && len(list) == 1 && (list[0].kind == nameWord || list[0].kind == stringWord) {
		name = list[0].text
	}
	if name == "" || strings.HasPrefix(name, "__") {
		err = fmt.Errorf("the name of a variable is expected in %q", brief(t.text))
	}
	c.put(t, captureTag+" "+c.constant(name))
	c.push(t, -1)
	return err
}

func (c *composer) conditional(t token) error {
	e, err := c.expression(t)
	switch t.name {
	case "if":
		c.put(t, "if "+e)
	case "unless":
		c.put(t, "if "+e+" | "+notFilter)
	case "case":
		c.put(t, "case "+e+" | "+caseFilter)
	}
	c.push(t, -1)
	return err
}

// belongs says which clauses a block may have.
var belongs = map[string][]string{
	"if": {"elsif", "else"}, "unless": {"elsif", "else"}, "case": {"when", "else"}, "for": {"else"},
}

func (c *composer) clause(t token) error {
	if len(c.stack) == c.floor || !slices.Contains(belongs[c.stack[len(c.stack)-1].name], t.name) {
		return fmt.Errorf("{%% %s %%} does not stand where it belongs", t.name)
	}
	b := &c.stack[len(c.stack)-1]
	if b.hadElse {
		return fmt.Errorf("{%% %s %%} comes after {%% else %%}", t.name)
	}
	switch t.name {
	case "else":
		b.hadElse = true
		c.put(t, "else")
		return bare(t)
	case "elsif":
		e, err := c.expression(t)
		c.put(t, "elsif "+e)
		return err
	}
	list, err := words(t.text)
	if err != nil {
		return err
	}
	var values []string
	for _, part := range split(list, func(w lexeme) bool { return w.is(",") || w.named("or") }) {
		e, err := c.rewrite(t.text, part)
		if err != nil {
			return err
		}
		values = append(values, "("+e+" | "+caseFilter+")")
	}
	c.put(t, "when "+strings.Join(values, ", "))
	return nil
}

// split cuts words at separators that stand outside of brackets.
func split(list []lexeme, separates func(lexeme) bool) [][]lexeme {
	var parts [][]lexeme
	from, depth := 0, 0
	for i, w := range list {
		switch {
		case w.is("(") || w.is("["):
			depth++
		case w.is(")") || w.is("]"):
			depth--
		case depth == 0 && separates(w):
			parts = append(parts, list[from:i])
			from = i + 1
		}
	}
	return append(parts, list[from:])
}

func (c *composer) count(t token) error {
	list, err := words(t.text)
	if err != nil || len(list) != 1 || list[0].kind != nameWord || strings.HasPrefix(list[0].text, "__") {
		return fmt.Errorf("the name of a counter is expected in %q", brief(t.text))
	}
	c.put(t, "__"+t.name+" "+list[0].text)
	return nil
}

// cyclePlan is one {% cycle %}: its group and its values.
type cyclePlan struct {
	key    string // what is written, where there is no group
	group  string // an expression
	values []string
}

func (c *composer) cycle(t token) error {
	list, err := words(t.text)
	if err != nil {
		return err
	}
	plan := cyclePlan{key: strings.Join(strings.Fields(t.text), " ")}
	if groups := split(list, func(w lexeme) bool { return w.is(":") }); len(groups) == 2 {
		if plan.group, err = c.rewrite(t.text, groups[0]); err != nil {
			return err
		}
		list = groups[1]
	}
	for _, part := range split(list, func(w lexeme) bool { return w.is(",") }) {
		e, err := c.rewrite(t.text, part)
		if err != nil {
			return err
		}
		plan.values = append(plan.values, e)
	}
	c.put(t, cycleTag+" "+strconv.Itoa(len(c.cycles)))
	c.cycles = append(c.cycles, plan)
	return nil
}

// jump is break and continue.
func (c *composer) jump(t token) error {
	if slices.ContainsFunc(c.stack, block.loops) {
		c.put(t, t.name)
	} else {
		c.put(t, stopTag)
	}
	return bare(t)
}

// lines reads {% liquid %}: a tag on each line.
func (c *composer) lines(t token) error {
	var list []token
	silent := 0 // within comment blocks
	for i, line := range strings.Split(t.text, "\n") {
		at := position{t.at.line + i, len(line) - len(strings.TrimLeft(line, spaces)) + 1}
		if i == 0 {
			at = t.at
		}
		head := tagHead.FindStringSubmatch(line)
		switch {
		case strings.TrimSpace(line) == "":
		case head == nil:
			return at.fail(CodeInvalidTemplate, "%q is not a tag", brief(line))
		case head[1] == "comment":
			silent++
		case head[1] == "endcomment":
			silent--
		case head[1] == "liquid":
			return at.fail(CodeInvalidTemplate, "liquid cannot stand within liquid")
		case head[1] != "#" && silent == 0:
			list = append(list, token{kind: tagToken, name: head[1], text: line[len(head[0]):], at: at})
		}
	}
	floor := c.floor
	c.floor = len(c.stack)
	c.tokens(list)
	c.floor = floor
	return nil
}
