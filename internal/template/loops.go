package template

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/osteele/liquid/render"
)

// loopPlan is one for or tablerow of a template.
type loopPlan struct {
	name   string // what forloop.name says, and what offset: continue goes by
	table  bool
	parent int // the for around it; -1 for none
}

// loop rewrites for and tablerow. The library runs the loop; which items it runs
// over, and in which order, is worked out by a filter on them, because the library
// takes limit and offset after reversing and does not resume. A table is a loop
// whose rounds begin with the cell's tag.
func (c *composer) loop(t token) error {
	p := loopPlan{table: t.name == "tablerow", parent: -1}
	for _, b := range c.stack {
		if b.loops() && !c.loops[b.loop].table {
			p.parent = b.loop
		}
	}
	id := strconv.Itoa(len(c.loops))
	head, err := c.loopHead(t, &p)
	c.loops = append(c.loops, p)
	if p.table {
		c.write("<tr class=\"row1\">\n")
	}
	c.put(t, "for "+head)
	c.put(t, tickTag+" "+id)
	if p.table {
		c.put(t, cellTag+" "+id)
	}
	c.push(t, len(c.loops)-1)
	return err
}

func (c *composer) loopHead(t token, p *loopPlan) (string, error) {
	list, err := words(t.text)
	if err != nil {
		return "", err
	}
	if len(list) == 0 || list[0].kind != nameWord || strings.HasPrefix(list[0].text, "__") {
		return "", fmt.Errorf("the name of a variable is expected in %q", brief(t.text))
	}
	if len(list) < 2 || !list[1].named("in") {
		return "", fmt.Errorf(`"in" is expected after %q in %q`, list[0].text, brief(t.text))
	}
	variable, list := list[0].text, list[2:]
	n := 0
	for n < len(list) && modifier(list, n) == "" {
		n++
	}
	over, err := c.rewrite(t.text, list[:n])
	if err != nil {
		return "", err
	}
	p.name = variable + "-" + t.text[list[0].from:list[n-1].to]
	mods, err := c.modifiers(t, p, list[n:])
	return fmt.Sprintf("%s in %s | %s: %d%s", variable, over, itemsFilter, len(c.loops), mods), err
}

// modifier is the name of the modifier that begins at a word, "" if none does.
func modifier(list []lexeme, i int) string {
	switch w := list[i]; {
	case w.named("reversed"):
		return w.text
	case (w.named("limit") || w.named("offset") || w.named("cols")) && i+1 < len(list) && list[i+1].is(":"):
		return w.text
	}
	return ""
}

// modifiers makes named arguments of the filter out of a loop's modifiers.
func (c *composer) modifiers(t token, p *loopPlan, list []lexeme) (string, error) {
	out := ""
	for i := 0; i < len(list); {
		name := modifier(list, i)
		switch {
		case list[i].is(","):
			i++
			continue
		case name == "" || name == "cols" && !p.table || name == "reversed" && p.table:
			return "", fmt.Errorf("limit:, offset: or reversed is expected before %q in %q", brief(t.text[list[i].from:]), brief(t.text))
		case name == "reversed":
			out += ", reversed: true"
			i++
			continue
		}
		end := i + 2
		for end < len(list) && !list[end].is(",") && modifier(list, end) == "" {
			end++
		}
		if name == "offset" && end == i+3 && list[i+2].named("continue") {
			out += ", continue: true"
		} else {
			e, err := c.rewrite(t.text, list[i+2:end])
			if err != nil {
				return "", err
			}
			out += ", " + name + ": " + e
		}
		i = end
	}
	return out, nil
}

// loopState is a loop while it runs.
type loopState struct {
	loop  *loop
	round int
	cols  int
	open  bool // a cell is
	outer any  // the table around it
}

// items is what the library loops over.
type items struct {
	n  int
	at func(int) any
}

// Len and Index are how the library asks.
func (i *items) Len() int        { return i.n }
func (i *items) Index(k int) any { return wrap(i.at(k)) }

// itemsOf is what a loop runs over, without making a list of it.
func itemsOf(v any) (n int, at func(int) any) {
	switch v := plain(v).(type) {
	case []any:
		return len(v), func(i int) any { return v[i] }
	case *object:
		return len(v.members), func(i int) any { return pair(v.members[i]) }
	case span:
		return v.length(), func(i int) any { return v.first + i }
	case string:
		if v != "" {
			return 1, func(int) any { return v }
		}
	}
	return 0, nil
}

// items works out what a loop runs over, when it begins.
func (r *run) items(over any, id int, mods map[string]any) (any, error) {
	p, state := &r.plan.loops[id], &r.loops[id]
	total, at := itemsOf(over)
	number := func(name string, otherwise int) int {
		if v := unwrap(mods[name]); v != nil {
			return max(integer(plain(v)), 0)
		}
		return otherwise
	}
	from := number("offset", 0)
	if mods["continue"] == true {
		from = r.resumes[p.name]
	}
	from = min(from, total)
	n := min(number("limit", total), total-from)
	r.resumes[p.name] = from + n
	*state = loopState{cols: max(number("cols", n), 1)}
	return &items{n, func(i int) any {
		if mods["reversed"] == true {
			i = n - 1 - i
		}
		return at(from + i)
	}}, r.alive()
}

// tick begins a round: it counts it, looks at the clock, and gives the library's
// loop object the members that it lacks.
func (r *run) tick(ctx render.Context, id int) error {
	if r.rounds++; r.rounds > r.lim.Rounds {
		return &RenderError{Code: CodeLimitExceeded, Message: fmt.Sprintf("the loops take more than %d rounds", r.lim.Rounds)}
	}
	p, s := &r.plan.loops[id], &r.loops[id]
	s.round++
	if state, ok := ctx.Get("forloop").(map[string]any); ok {
		s.loop = &loop{state: state, name: p.name}
		if p.parent >= 0 {
			s.loop.parent = r.loops[p.parent].loop
		}
		if p.table {
			s.loop.cols = s.cols
			s.outer = ctx.Get("tablerowloop")
			ctx.Set("tablerowloop", value{s.loop})
			ctx.Set("forloop", nil)
			if s.loop.parent != nil {
				ctx.Set("forloop", value{s.loop.parent})
			}
		} else {
			ctx.Set("forloop", value{s.loop})
		}
	}
	return r.alive()
}

// cell begins a cell of a table, after the end of the one before it.
func (r *run) cell(w io.Writer, id int) error {
	s, out := &r.loops[id], ""
	i := s.round - 1
	if s.open {
		out = "</td>"
	}
	if i > 0 && i%s.cols == 0 {
		out += fmt.Sprintf("</tr>\n<tr class=\"row%d\">", i/s.cols+1)
	}
	s.open = true
	_, err := fmt.Fprintf(w, `%s<td class="col%d">`, out, i%s.cols+1)
	return err
}

func (r *run) endTable(w io.Writer, ctx render.Context, id int) error {
	s, out := &r.loops[id], "</tr>\n"
	if s.open {
		out = "</td></tr>\n"
		ctx.Set("tablerowloop", s.outer)
	}
	_, err := io.WriteString(w, out)
	return err
}

// loop is forloop or tablerowloop: the library's, and what it lacks.
type loop struct {
	state  map[string]any
	parent *loop
	name   string
	cols   int // of a table
}

func (l *loop) property(name string) any {
	switch name {
	case "index", "index0", "rindex", "rindex0", "first", "last", "length":
		return l.state[name]
	case "name":
		return l.name
	case "parentloop":
		if l.parent != nil {
			return l.parent
		}
		return nil
	}
	if l.cols == 0 {
		return nil
	}
	i, _ := l.state["index0"].(int)
	switch name {
	case "col":
		return i%l.cols + 1
	case "col0":
		return i % l.cols
	case "row":
		return i/l.cols + 1
	case "col_first":
		return i%l.cols == 0
	case "col_last":
		return i%l.cols == l.cols-1 || l.state["last"] == true
	}
	return nil
}

// loopMembers are what a loop printed as a whole shows.
var loopMembers = []string{"name", "length", "index", "index0", "rindex", "rindex0", "first", "last"}

func (l *loop) object() *object {
	o := &object{}
	for _, m := range loopMembers {
		o.set(m, l.property(m))
	}
	return o
}

var errStop = errors.New("break outside of a loop")
