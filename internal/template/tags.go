package template

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/osteele/liquid/render"
)

// addTags gives the library the tags that it lacks, and those that rewritten
// templates use.
func (r *run) addTags(cfg *render.Config) {
	add := func(name string, do func(w io.Writer, ctx render.Context, args string) error) {
		cfg.AddTag(name, func(args string) (func(io.Writer, render.Context) error, error) {
			return func(w io.Writer, ctx render.Context) error { return do(w, ctx, args) }, nil
		})
	}
	numbered := func(name string, do func(w io.Writer, ctx render.Context, n int) error) {
		add(name, func(w io.Writer, ctx render.Context, args string) error {
			n, err := strconv.Atoi(args)
			if err != nil {
				return err
			}
			return do(w, ctx, n)
		})
	}
	numbered(tickTag, func(_ io.Writer, ctx render.Context, n int) error { return r.tick(ctx, n) })
	numbered(cellTag, func(w io.Writer, _ render.Context, n int) error { return r.cell(w, n) })
	numbered(tableEndTag, r.endTable)
	numbered(cycleTag, r.cycle)
	add(incrementTag, func(w io.Writer, ctx render.Context, name string) error {
		return r.count(w, ctx, name, 0, 1)
	})
	add(decrementTag, func(w io.Writer, ctx render.Context, name string) error {
		return r.count(w, ctx, name, -1, -1)
	})
	add(stopTag, func(w io.Writer, _ render.Context, _ string) error {
		// The library holds text back until more is written.
		if _, err := w.Write(nil); err != nil {
			return err
		}
		return errStop
	})
	cfg.AddBlock(captureTag).Renderer(r.capture)
	cfg.AddBlock(changedTag).Renderer(r.ifChanged)
}

// inner is what a block prints, within the budget.
func (r *run) inner(w io.Writer, ctx render.Context) (string, error) {
	// The library holds the last text back; a break within may end the page.
	if _, err := w.Write(nil); err != nil {
		return "", err
	}
	b := &charged{run: r}
	if err := ctx.RenderChildren(b); err != nil {
		return "", err
	}
	return b.text.String(), nil
}

// charged is the text of a block while it grows.
type charged struct {
	text strings.Builder
	run  *run
}

func (c *charged) Write(p []byte) (int, error) {
	if err := c.run.charge(len(p)); err != nil {
		return 0, err
	}
	return c.text.Write(p)
}

func (r *run) capture(w io.Writer, ctx render.Context) error {
	name, _ := plain(unwrap(ctx.Get(ctx.TagArgs()))).(string)
	s, err := r.inner(w, ctx)
	if err != nil {
		return err
	}
	ctx.Set(name, value{markup{text: s, captured: true}})
	return nil
}

// ifChanged prints its block when it is not what the last one was.
func (r *run) ifChanged(w io.Writer, ctx render.Context) error {
	s, err := r.inner(w, ctx)
	if err != nil || r.printed && s == r.unchanged {
		return err
	}
	r.printed, r.unchanged = true, s
	_, err = io.WriteString(w, s)
	return err
}

func (r *run) cycle(w io.Writer, ctx render.Context, id int) error {
	p := &r.plan.cycles[id]
	key := "\x00" + p.key
	if p.group != "" {
		g, err := ctx.EvaluateString(p.group)
		if err != nil {
			return err
		}
		key = text(plain(unwrap(g)))
	}
	n := r.cycles[key]
	r.cycles[key] = n + 1
	v, err := ctx.EvaluateString(p.values[n%len(p.values)])
	if err != nil {
		return err
	}
	s, err := r.page(unwrap(v))
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, s)
	return err
}

// count is increment and decrement. A counter is seen under its name unless a
// variable is.
func (r *run) count(w io.Writer, ctx render.Context, name string, print, step int) error {
	n, known := r.counters[name]
	if v := ctx.Get(name); v == nil || known && v == any(n) {
		ctx.Set(name, n+step)
	}
	r.counters[name] = n + step
	_, err := fmt.Fprint(w, n+print)
	return err
}
