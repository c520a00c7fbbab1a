package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

type generator struct {
	model *model
	out   bytes.Buffer
}

func (g *generator) printf(format string, args ...any) { fmt.Fprintf(&g.out, format, args...) }

// names returns the shapes of some types in order, exceptions left out: errors
// are made from faults, not from structs.
func (g *generator) names(types ...string) []string {
	var out []string
	for _, n := range slices.Sorted(maps.Keys(g.model.Shapes)) {
		if s := g.model.Shapes[n]; !s.Exception && (len(types) == 0 || slices.Contains(types, s.Type)) {
			out = append(out, n)
		}
	}
	return out
}

func (g *generator) structs() {
	for _, n := range g.names("structure") {
		s := g.model.Shapes[n]
		if len(s.Members) == 0 {
			g.printf("// %s is the model's shape of that name.\ntype %s struct{}\n\n", n, n)
			continue
		}
		g.printf("// %s is the model's shape of that name.\ntype %s struct {\n", n, n)
		for _, m := range s.Members {
			typ, omit := g.field(n, s, m)
			tag := m.Name
			if omit {
				tag += ",omitempty"
			}
			g.printf("%s %s `json:%q`\n", m.Name, typ, tag)
		}
		g.printf("}\n\n")
	}
}

// field returns the Go type of a member and whether it may be left out.
// Integers that the model does not box are always written, and so is the list
// that a paged operation is about: AWS answers with an empty one.
func (g *generator) field(name string, s *shape, m member) (typ string, omit bool) {
	target := g.model.Shapes[m.Shape]
	if g.page(name, m.Name) {
		return g.goType(m.Shape), false
	}
	required := slices.Contains(s.Required, m.Name)
	typ = g.goType(m.Shape)
	switch target.Type {
	case "list", "map", "blob":
		return typ, !required
	case "integer", "boolean":
		if required || !target.Box && !m.Box {
			return typ, false
		}
	default:
		if required {
			return typ, false
		}
	}
	return "*" + typ, true
}

// page reports whether the member of an output is its operation's page.
func (g *generator) page(output, member string) bool {
	for name, o := range g.model.Operations {
		if o.Output.Shape == output && g.model.Paginators[name].ResultKey == member {
			return true
		}
	}
	return false
}

func (g *generator) goType(name string) string {
	switch s := g.model.Shapes[name]; s.Type {
	case "structure":
		return name
	case "list":
		return "[]" + g.goType(s.Member.Shape)
	case "map":
		return "map[" + g.goType(s.Key.Shape) + "]" + g.goType(s.Value.Shape)
	default:
		return s.goName()
	}
}

// shapes writes the constraints. Only inputs need them.
func (g *generator) shapes() {
	wanted := map[string]bool{}
	for _, o := range g.model.Operations {
		g.reach(o.Input.Shape, wanted)
	}
	for _, n := range g.names() {
		if wanted[n] {
			g.shape(n, g.model.Shapes[n])
		}
	}
}

func (g *generator) reach(name string, seen map[string]bool) {
	if name == "" || seen[name] {
		return
	}
	seen[name] = true
	for _, r := range g.model.Shapes[name].refs() {
		g.reach(r, seen)
	}
}

func (g *generator) shape(name string, s *shape) {
	g.printf("// %sShape holds the constraints of %s.\nvar %sShape = &awsapi.Shape{\nType: awsapi.%s,\n", name, name, name, strings.ToUpper(s.Type[:1])+s.Type[1:])
	if s.Pattern != "" {
		if expr := goPattern(s.Pattern); expr == s.Pattern {
			g.printf("Pattern: awsapi.NewPattern(%s),\n", literal(expr))
		} else {
			g.printf("Pattern: awsapi.NewPatternAs(%s, %s),\n", literal(s.Pattern), literal(expr))
		}
	}
	if s.Enum != nil {
		g.printf("Enum: %#v,\n", s.Enum)
	}
	if s.Min != nil {
		g.printf("Min: awsapi.Bound(%d),\n", *s.Min)
	}
	if s.Max != nil {
		g.printf("Max: awsapi.Bound(%d),\n", *s.Max)
	}
	if s.Sensitive {
		g.printf("Sensitive: true,\n")
	}
	if s.TimestampFormat != "" {
		g.printf("ISO: true,\n")
	}
	if len(s.Members) > 0 {
		g.printf("Members: []awsapi.Member{\n")
		for _, m := range s.Members {
			g.printf("{Name: %q, Shape: %sShape", m.Name, m.Shape)
			if slices.Contains(s.Required, m.Name) {
				g.printf(", Required: true")
			}
			if m.Location != "" {
				g.printf(", In: %q", m.Location)
			}
			g.printf("},\n")
		}
		g.printf("},\n")
	}
	for _, r := range []struct {
		field string
		ref   ref
	}{{"Element", s.Member}, {"Key", s.Key}, {"Element", s.Value}} {
		if r.ref.Shape != "" {
			g.printf("%s: %sShape,\n", r.field, r.ref.Shape)
		}
	}
	g.printf("}\n\n")
}

// literal is a Go string literal, raw where that reads better.
func literal(s string) string {
	if strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

func (g *generator) operations() {
	g.printf("// Operations is every operation of the model.\nvar Operations = []awsapi.ModelOperation{\n")
	for _, n := range slices.Sorted(maps.Keys(g.model.Operations)) {
		o := g.model.Operations[n]
		g.printf("{Name: %q", n)
		if uri := o.HTTP.RequestURI; uri != "" && uri != "/" {
			g.printf(", HTTP: %q", o.HTTP.Method+" "+uri)
		}
		if o.Input.Shape != "" {
			g.printf(", Input: %sShape", o.Input.Shape)
		}
		if len(o.Errors) > 0 {
			errs := make([]string, len(o.Errors))
			for i, e := range o.Errors {
				errs[i] = e.Shape
			}
			g.printf(", Errors: %#v", errs)
		}
		if p := g.model.Paginators[n].ResultKey; p != "" {
			g.printf(", ResultKey: %q", p)
		}
		g.printf("},\n")
	}
	g.printf("}\n")
}
