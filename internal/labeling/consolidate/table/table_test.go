package table

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/consolidate/boxes"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/consolidate/spans"
)

func TestClassesReadsWhatPeopleHave(t *testing.T) {
	const want = "item,label,confidence\na,Cat,1\nb,Dog,0.6\n"
	plainly := "item,worker,label\na,1,Cat\na,2,Cat\na,3,Cat\nb,1,Dog\nb,2,Dog\nb,3,Dog\nb,4,Cat\nb,5,Cat\n"
	for _, c := range []struct{ name, in, want string }{
		{"plainly", plainly, want},
		{"without an end of line at the end", strings.TrimSuffix(plainly, "\n"), want},
		{"lines end as on Windows, with a byte order mark", "\ufeff" + strings.ReplaceAll(plainly, "\n", "\r\n"), want},
		{"other order and case of columns, others between", "Label,note,WORKER, item \nCat,x,1,a\nCat,,2,a\nCat,\"y,\n z\",3,a\nDog,,1,b\nDog,,2,b\nDog,,3,b\nCat,,4,b\nCat,,5,b\n", want},
		{"semicolons", strings.ReplaceAll(plainly, ",", ";"), want},
		{"tabs", strings.ReplaceAll(plainly, ",", "\t"), want},
		{"quotes and spaces behind commas", strings.ReplaceAll(strings.ReplaceAll(plainly, "Cat", ` "Cat"`), "Dog", ` Dog`), want},
		{"empty lines and rows that are garbage", strings.ReplaceAll(plainly, "a,2,Cat\n", "a,2,Cat\n\n,7,Cat\na,8,\na,,Dog\nshort\n"), want},
		{"more columns than the header", strings.ReplaceAll(plainly, "a,2,Cat", "a,2,Cat,,"), want},
		{"another order of rows", "item,worker,label\na,3,Cat\na,1,Cat\nb,5,Cat\nb,4,Cat\nb,1,Dog\nb,2,Dog\na,2,Cat\nb,3,Dog\n", want},
		{"names with everything", "item,worker,label\n\"a \"\"x\"\", y\",ü,Kätz⌘chen\n\"a \"\"x\"\", y\",5\" pipe,Kätz⌘chen\n", "item,label,confidence\n\"a \"\"x\"\", y\",Kätz⌘chen,1\n"},
		{"an item with garbage only", "item,worker,label\nz,1,\na,1,Cat\na,2,Cat\n", "item,label,confidence\nz,,0\na,Cat,1\n"},
		{"nothing but a header", "item,worker,label\n", "item,label,confidence\n"},
		{"one worker", "item,worker,label\na,1,Cat\nb,1,Dog\n", "item,label,confidence\na,Cat,0\nb,Dog,0\n"},
		{"a tie goes to the first name in the alphabet", "item,worker,label\na,1,Dog\na,2,Cat\n", "item,label,confidence\na,Cat,0.5\n"},
	} {
		var out bytes.Buffer
		if _, err := Classes(strings.NewReader(c.in), &out, classes.Majority); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	r, err := Classes(strings.NewReader("item,worker,label\na,ann,x\n\na,,x\na,bob,x\nb,ann,y\nb,bob,\n"), &out, classes.DawidSkene)
	if err != nil {
		t.Fatal(err)
	}
	if r.Items != 2 || r.Workers != 2 || r.Answers != 3 || r.Dropped.Rows != 2 || !strings.HasPrefix(r.Dropped.First, "line 4: ") {
		t.Errorf("%+v", r)
	}
	if len(r.Quality) != 2 || r.Quality[0].ID != "ann" || r.Quality[0].Answers != 1 || r.Labels[r.Quality[0].Confusion[0].True] != "x" {
		t.Errorf("%+v", r.Quality)
	}
}

func TestHeaderErrorsNameTheColumn(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "the file is empty: expected a header line item,worker,label"},
		{"no header", "a,1,Cat\n", "no column item: expected item,worker,label, got a,1,Cat"},
		{"one missing", "item,label\na,Cat\n", "no column worker"},
		{"a quote that never closes", "item,worker,label\na,1,\"" + strings.Repeat("x\n", maxField), "is there a quote that is not closed?"},
	} {
		_, err := Classes(strings.NewReader(c.in), &bytes.Buffer{}, classes.DawidSkene)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestBoxes(t *testing.T) {
	in := "height,width,top,left,label,worker,item\n" +
		"0.2,0.1,0.5,0.25,cat,w1,x\n0.2,0.1,0.5,0.25,cat,w2,x\n0.2,0.1,0.5,0.3,cat,w3,x\n" + // a fraction of the image
		",,,,,w1,empty\n,,,,,w2,empty\n" +
		"-4,4,1,1,cat,w1,y\n4,4,NaN,1,cat,w1,y\n4,4,one,1,cat,w2,y\n4,4,1,1,,w2,y\n40,40,1,1,dog,w3,y\n"
	var out bytes.Buffer
	r, err := Boxes(strings.NewReader(in), &out, boxes.Median)
	if err != nil {
		t.Fatal(err)
	}
	// In x the third box is too far from the others to be the same. In y three workers answered, of whom one drew a box: that is no quorum.
	want := "item,label,confidence,left,top,width,height\nx,cat,0.6667,0.25,0.5,0.1,0.2\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Dropped.Rows != 4 || !strings.Contains(r.Dropped.First, `line 7: left, top, width, height must be numbers, and the last two above 0: got "1", "1", "4", "-4"`) {
		t.Errorf("%+v", r.Dropped)
	}
}

func TestSpans(t *testing.T) {
	in := "item,worker,start,end,label\nx,a,0,4,PER\nx,b,0,4,PER\nx,c,,,\ny,a,5,3,PER\ny,a,x,3,PER\ny,b,-1,3,LOC\nz,a,2,6,LOC\nz,b,2,6,LOC\nz,b,2,6,LOC\n"
	var out bytes.Buffer
	r, err := Spans(strings.NewReader(in), &out, spans.Options{Method: classes.Majority})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("item,label,confidence,start,end\nx,PER,0.6667,0,4\nz,LOC,1,2,6\n", out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Dropped.Rows != 3 {
		t.Errorf("%+v", r.Dropped)
	}
}

func TestMultiLabelAndTexts(t *testing.T) {
	var out bytes.Buffer
	if _, err := MultiLabel(strings.NewReader("item,worker,label\nx,a,cat\nx,a,dog\nx,b,cat\ny,a,\n"), &out, classes.Majority); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("item,label,confidence\nx,cat,1\nx,dog,0.5\n", out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out.Reset()
	if _, err := Texts(strings.NewReader("item,worker,text\nx,a,one two three\ny,a,\nx,b,one two\nx,c,one two three\n"), &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("item,text,confidence\nx,one two three,0.75\ny,,0\n", out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever is in a file, there is a table or an error, and the table is CSV
// that reads back.
func FuzzTables(f *testing.F) {
	f.Add([]byte("item,worker,label\na,1,Cat\na,2,\"Do\"\"g\"\n"))
	f.Add([]byte("\ufeffitem;worker;label;left;top;width;height\r\na;1;Cat;1;2;3;4\r\na;2;;;;;\r\n"))
	f.Add([]byte("item\tworker\tstart\tend\tlabel\nx\ta\t0\t4\tPER\n"))
	f.Add([]byte("item,worker,text\nx,a,\"b\n c"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for name, fn := range map[string]func(out *bytes.Buffer) (*Report, error){
			"classes": func(out *bytes.Buffer) (*Report, error) { return Classes(bytes.NewReader(in), out, classes.DawidSkene) },
			"multilabel": func(out *bytes.Buffer) (*Report, error) {
				return MultiLabel(bytes.NewReader(in), out, classes.Majority)
			},
			"boxes": func(out *bytes.Buffer) (*Report, error) { return Boxes(bytes.NewReader(in), out, boxes.Weighted) },
			"spans": func(out *bytes.Buffer) (*Report, error) { return Spans(bytes.NewReader(in), out, spans.Options{}) },
			"texts": func(out *bytes.Buffer) (*Report, error) { return Texts(bytes.NewReader(in), out) },
		} {
			var out bytes.Buffer
			if _, err := fn(&out); err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%s: %v", name, err)
				}
				continue
			}
			if _, err := csv.NewReader(&out).ReadAll(); err != nil {
				t.Fatalf("%s of %q: %v", name, in, err)
			}
		}
	})
}
