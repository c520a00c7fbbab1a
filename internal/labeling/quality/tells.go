package quality

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"fiducial/internal/labeling"
)

// What can give a gold question away in what a worker sees of a manifest line:
// media URLs show the object's path, a template may show any member, and
// objects go out in the manifest's order.
const (
	TellMembers   = "Members"   // its line has other members than those of the input manifest
	TellFolder    = "Folder"    // its data object is in a folder where the input manifest has none
	TellName      = "Name"      // its data object's name is of another make: "gold-1.jpg" among "4711.png"
	TellOrder     = "Order"     // the input manifest is sorted, so that a question stands out by its place
	TellDuplicate = "Duplicate" // the input manifest has the same data object
)

var tells = []string{TellMembers, TellFolder, TellName, TellOrder, TellDuplicate}

// maxKinds bounds how many folders, makes and lists of members are kept.
const maxKinds = 100_000

// Disguise looks for tells: every line of the input manifest is shown to it by
// Line, then every gold question by Question.
type Disguise struct {
	members, folders, makes map[string]bool
	endings                 map[string]bool // of names: ".jpg"
	gold                    map[string]bool // sources of gold questions that are looked for
	doubled                 string
	lines, up, down         int64
	last                    string
}

// NewDisguise makes one for gold questions with these sources.
func NewDisguise(gold []json.RawMessage) *Disguise {
	d := &Disguise{members: map[string]bool{}, folders: map[string]bool{}, makes: map[string]bool{}, endings: map[string]bool{}, gold: map[string]bool{}}
	for _, line := range gold {
		if _, source, err := labeling.SourceOf(line); err == nil {
			d.gold[source] = true
		}
	}
	return d
}

// Line takes in a line of the input manifest.
func (d *Disguise) Line(line json.RawMessage) {
	ref, source, err := labeling.SourceOf(line)
	if err != nil {
		return
	}
	keep := func(m map[string]bool, s string) {
		if len(m) < maxKinds {
			m[s] = true
		}
	}
	keep(d.members, memberList(line))
	if ref {
		keep(d.folders, path.Dir(source))
		keep(d.makes, makeOf(path.Base(source)))
		keep(d.endings, path.Ext(source))
	}
	if d.gold[source] && d.doubled == "" {
		d.doubled = source
	}
	if d.lines++; d.lines > 1 {
		switch c := naturally(d.last, source); {
		case c < 0:
			d.up++
		case c > 0:
			d.down++
		}
	}
	d.last = source
}

// sortedFrom is how many lines a manifest must have for its order to say anything.
const sortedFrom = 20

// Tell says what gives the question away, and in which words; "" is nothing.
// Number is the question's line.
func (d *Disguise) Tell(number int, line json.RawMessage, accepted []string) (tell, words string) {
	ref, source, err := labeling.SourceOf(line)
	if err != nil {
		return "", ""
	}
	found := func(tell string) bool { return !slices.Contains(accepted, tell) }
	switch {
	case found(TellMembers) && !d.members[memberList(line)]:
		return TellMembers, fmt.Sprintf("line %d has the members %s beside its label, and no line of the input manifest has just these in this order; a worker task template can show them", number, memberList(line))
	case ref && found(TellFolder) && !d.folders[path.Dir(source)]:
		return TellFolder, fmt.Sprintf("the data object %s of line %d is in a folder where the input manifest has none; workers see the path in the URL", source, number)
	case ref && found(TellName) && d.stranger(source):
		return TellName, fmt.Sprintf("the data object %s of line %d has a name of another make than those of the input manifest; workers see it in the URL", source, number)
	case found(TellDuplicate) && d.doubled != "" && d.doubled == source:
		return TellDuplicate, fmt.Sprintf("the data object of line %d is in the input manifest too, so that a worker would get it twice", number)
	case found(TellOrder) && d.lines >= sortedFrom && max(d.up, d.down)*10 >= (d.lines-1)*9:
		return TellOrder, "the input manifest is sorted, so that a gold question stands out by its place; shuffle its lines"
	}
	return "", ""
}

// stranger reports whether a name stands out: by its ending, or by its make
// where the manifest's names are of few makes.
func (d *Disguise) stranger(source string) bool {
	if !d.endings[path.Ext(source)] {
		return true
	}
	regular := d.lines >= sortedFrom && int64(len(d.makes))*5 <= d.lines
	return regular && !d.makes[makeOf(path.Base(source))]
}

// memberList are the names of a line's members in their order.
func memberList(line json.RawMessage) string {
	dec := json.NewDecoder(strings.NewReader(string(line)))
	var names []string
	if _, err := dec.Token(); err != nil {
		return ""
	}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || dec.Decode(&value) != nil {
			return ""
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// makeOf is a name with its digits and hexadecimal ids taken out: "img-0042.jpg"
// and "img-7.jpg" are of one make.
func makeOf(name string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_. ", r) }) {
		if strings.ContainsAny(word, "0123456789") {
			word = "#"
		}
		b.WriteString(word)
		b.WriteByte(' ')
	}
	return b.String()
}

// naturally compares texts with their numbers as numbers.
func naturally(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da != "" && db != "" {
			x, y := strings.TrimLeft(da, "0"), strings.TrimLeft(db, "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			a, b = a[len(da):], b[len(db):]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digits(s string) string {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n]
}
