package template

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"reflect"

	"github.com/osteele/liquid/expressions"
	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"
	"github.com/osteele/liquid/tags"
)

// sourceName stands in for a file name: without one the library reports an error
// inside a block at the block's first line.
const sourceName = "template"

// run is the state of one rendering.
type run struct {
	ctx     context.Context
	fn      Functions
	lim     Limits
	plan    *plan
	library map[string]reflect.Value // its filters

	rounds int
	work   int
	grants map[[2]string]string

	loops    []loopState    // one for each of the plan
	counters map[string]int // increment, decrement
	cycles   map[string]int
	resumes  map[string]int // where offset: continue goes on

	printed   bool // ifchanged has printed
	unchanged string
}

// Render renders a template over the task's input, which it sees as task.input.
// Input is JSON (json.RawMessage or []byte), whose member order is kept, or any
// value that encoding/json can write. On errors the page is empty and the list
// is not; both together never happen.
func Render(ctx context.Context, src string, input any, fn Functions, lim Limits) (page string, errs []RenderError) {
	lim = lim.orDefault()
	ctx, cancel := context.WithTimeout(ctx, lim.Time)
	defer cancel()
	if errs := tooLarge(src, lim); errs != nil {
		return "", errs
	}
	task, err := readInput(input, lim)
	if err != nil {
		return "", []RenderError{*err}
	}
	plan, errs := compose(src, lim)
	if len(errs) > 0 {
		return "", errs
	}
	r := &run{
		ctx: ctx, fn: fn, lim: lim, plan: plan, grants: map[[2]string]string{}, loops: make([]loopState, len(plan.loops)),
		counters: map[string]int{}, cycles: map[string]int{}, resumes: map[string]int{},
	}
	page, err = r.render(task)
	if err != nil {
		return "", []RenderError{*err}
	}
	return page, nil
}

// Check reads a template without rendering it, and returns what is wrong with it.
func Check(src string) []RenderError {
	lim := Limits{}.orDefault()
	if errs := tooLarge(src, lim); errs != nil {
		return errs
	}
	plan, errs := compose(src, lim)
	if len(errs) > 0 {
		return errs
	}
	r := &run{ctx: context.Background(), lim: lim, plan: plan}
	cfg := r.config()
	if _, err := r.compile(&cfg); err != nil {
		return []RenderError{*err}
	}
	return nil
}

func tooLarge(src string, lim Limits) []RenderError {
	if len(src) <= lim.Source {
		return nil
	}
	return []RenderError{{Code: CodeLimitExceeded, Message: fmt.Sprintf("the template is larger than %d bytes", lim.Source)}}
}

func readInput(input any, lim Limits) (*object, *RenderError) {
	raw, ok := input.(json.RawMessage)
	if !ok {
		if raw, ok = input.([]byte); !ok {
			var err error
			if raw, err = json.Marshal(input); err != nil {
				return nil, &RenderError{Code: CodeInvalidParameters, Message: "the task's input cannot be written as JSON"}
			}
		}
	}
	if len(raw) > lim.Input {
		return nil, &RenderError{Code: CodeLimitExceeded, Message: fmt.Sprintf("the task's input is larger than %d bytes", lim.Input)}
	}
	v, err := decode(raw, lim.Nesting)
	if err != nil {
		return nil, &RenderError{Code: CodeInvalidParameters, Message: "the task's input is not valid JSON: " + err.Error()}
	}
	task := &object{}
	task.set("input", v)
	return task, nil
}

// config is the library with our tags and filters.
func (r *run) config() render.Config {
	cfg := render.NewConfig()
	cfg.TemplateStore = nothingToInclude{}
	r.addFilters(&cfg)
	tags.AddStandardTags(&cfg)
	cfg.UnregisterTag("include")
	cfg.UnregisterTag("render")
	r.addTags(&cfg)
	cfg.SetAutoEscapeReplacer(render.HtmlEscaper)
	return cfg
}

type nothingToInclude struct{}

func (nothingToInclude) ReadTemplate(string) ([]byte, error) {
	return nil, errors.New("there is nothing to include")
}

func (r *run) compile(cfg *render.Config) (root render.Node, failed *RenderError) {
	defer recovered(&failed, CodeInvalidTemplate)
	root, err := cfg.Compile(r.plan.text, parser.SourceLoc{Pathname: sourceName, LineNo: 1})
	if err != nil {
		return nil, r.explain(err, CodeInvalidTemplate)
	}
	return root, nil
}

func (r *run) render(task *object) (page string, failed *RenderError) {
	cfg := r.config()
	root, failed := r.compile(&cfg)
	if failed != nil {
		return "", failed
	}
	defer recovered(&failed, CodeRenderingFailed)
	vars := map[string]any{"task": value{task}}
	for name, v := range r.plan.constants {
		vars[name] = v
	}
	out := &pageWriter{run: r}
	if err := render.Render(root, out, vars, cfg); err != nil && !errors.Is(err, errStop) {
		return "", r.explain(err, CodeRenderingFailed)
	}
	return out.buf.String(), nil
}

// recovered makes an error like any other of the library's panics.
func recovered(failed **RenderError, code string) {
	if p := recover(); p != nil {
		*failed = &RenderError{Code: code, Message: "an expression cannot be understood"}
	}
}

// pageWriter is the page while it grows.
type pageWriter struct {
	buf bytes.Buffer
	run *run
}

func (p *pageWriter) Write(b []byte) (int, error) {
	if most := p.run.lim.Output; len(b) > most-p.buf.Len() {
		return 0, &RenderError{Code: CodeLimitExceeded, Message: fmt.Sprintf("the page is larger than %d bytes", most)}
	}
	if err := p.run.charge(len(b)); err != nil {
		return 0, err
	}
	return p.buf.Write(b)
}

// page is a value as it stands in the page, escaped unless it is fit already.
func (r *run) page(v any) (string, error) {
	if m, ok := v.(markup); ok {
		return m.text, nil
	}
	s, err := r.text(v)
	return html.EscapeString(s), err
}

// explain turns an error of the library into ours, with its place.
func (r *run) explain(err error, code string) *RenderError {
	out := &RenderError{Code: code}
	filter := ""
	for err != nil {
		if e, ok := err.(interface{ LineNumber() int }); ok && e.LineNumber() > 0 {
			at := r.plan.at(e.LineNumber())
			out.Line, out.Column = at.line, at.column
		}
		out.Message = err.Error()
		switch e := err.(type) {
		case *RenderError:
			out.Code, out.Message = e.Code, e.Message
			return out
		case expressions.FilterError:
			filter, err = e.FilterName, e.Err
			continue
		case interface{ Cause() error }:
			err = e.Cause()
		default:
			err = errors.Unwrap(err)
		}
	}
	if code == CodeInvalidTemplate {
		out.Message = "what stands here is not Liquid"
	} else if _, ok := standardFilters[filter]; ok {
		out.Message = fmt.Sprintf("the filter %q failed: %s", filter, out.Message)
	}
	out.Message = abbreviate(out.Message, 500)
	return out
}
