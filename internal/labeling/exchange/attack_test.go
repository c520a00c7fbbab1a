package exchange_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/coco"
	"fiducial/internal/labeling/exchange/conll"
	"fiducial/internal/labeling/exchange/cvat"
	"fiducial/internal/labeling/exchange/folder"
)

func boxLine(ref, box, classMap string) string {
	return fmt.Sprintf(`{"source-ref":%q,"b":{"image_size":[{"width":10,"height":10,"depth":3}],"annotations":[%s]},"b-metadata":{"objects":[],"class-map":%s,"type":"groundtruth/object-detection"}}`+"\n", ref, box, classMap)
}

const dogMap = `{"0":"dog"}`

// Manifests whose exports are refused, each with what is said.
func TestManifestsThatAreRefused(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, c := range []struct{ name, manifest, want string }{
		{"a class id outside of the map", boxLine("s3://photos/x", `{"class_id":7,"left":1,"top":1,"width":1,"height":1}`, dogMap), "line 1: \"b\": annotations[0]: the class 7 is not in class-map"},
		{"a class id below 0", boxLine("s3://photos/x", `{"class_id":-1,"left":1,"top":1,"width":1,"height":1}`, `{"-1":"x"}`), `"-1" is not a class id`},
		{"a class id beyond all bounds", boxLine("s3://photos/x", `{"class_id":99999999999999999999,"left":1,"top":1,"width":1,"height":1}`, dogMap), "is not a class id"},
		{"a huge coordinate", boxLine("s3://photos/x", `{"class_id":0,"left":1e300,"top":1,"width":1,"height":1}`, dogMap), "the coordinate 1e+300"},
		{"a number that is none", boxLine("s3://photos/x", `{"class_id":0,"left":NaN,"top":1,"width":1,"height":1}`, dogMap), "line 1: the value of \"b\" is not JSON"},
		{"a number beyond a float", boxLine("s3://photos/x", `{"class_id":0,"left":1e999,"top":1,"width":1,"height":1}`, dogMap), "expected {"},
		{"a width below 0", boxLine("s3://photos/x", `{"class_id":0,"left":1,"top":1,"width":-1,"height":1}`, dogMap), "expected a width and height of 0 or more"},
		{"a box without a width", boxLine("s3://photos/x", `{"class_id":0,"left":1,"top":1,"height":1}`, dogMap), "expected class_id, left, top, width and height"},
		{"one id, two names", boxLine("s3://photos/x", `{"class_id":0,"left":1,"top":1,"width":1,"height":1}`, dogMap) + boxLine("s3://photos/y", `{"class_id":0,"left":1,"top":1,"width":1,"height":1}`, `{"0":"cat"}`), `line 2: it calls the class 0 "cat", which is "dog" elsewhere`},
		{"not UTF-8", "{\"source\":\"\xff\"}\n", "line 1: it is not UTF-8"},
		{"too deep", `{"source":"x","y":` + deep + "}", "nested deeper than 64"},
		{"two kinds", boxLine("s3://photos/x", "", dogMap) + `{"source":"x","b":1,"b-metadata":{"class-name":"x","type":"groundtruth/text-classification"}}`, "a result has one kind of label"},
		{"a member twice", `{"source":"x","source":"y"}`, "more than once"},
		{"no object", `[1]`, "expected a JSON object"},
		{"two objects", `{"source":"x"} {"source":"y"}`, "nothing after it"},
		{"two labels", `{"source":"x","a":1,"a-metadata":{},"b":1,"b-metadata":{}}`, `it has the labels "a, b": say which one with --attribute`},
		{"a source that is no S3 URI", boxLine("file:///etc/passwd", "", dogMap), "is not an S3 URI"},
	} {
		_, err := export(t, "coco", c.manifest, exchange.Names{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Boxes that reach out of the picture are cut, those outside left out, and
// both are told.
func TestBoxesOutside(t *testing.T) {
	w, err := export(t, "yolo", boxLine("s3://photos/x.jpg", `{"class_id":0,"left":-5,"top":1,"width":10,"height":1},{"class_id":0,"left":50,"top":1,"width":10,"height":1}`, dogMap), exchange.Names{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(w.path, "labels/photos/x.txt"))
	if want := "0 0.25 0.15 0.5 0.1\n"; string(b) != want || err != nil {
		t.Errorf("%q, %v, want %q", b, err, want)
	}
	for _, s := range []string{"cut to the picture", "left out: boxes without a pixel"} {
		if !strings.Contains(w.said(), s) {
			t.Errorf("nothing is said of %q: %s", s, w.said())
		}
	}
}

// Whatever the keys, files stay in their folder and none is written twice.
func TestKeysStayInTheFolder(t *testing.T) {
	keys := []string{"../../x.jpg", "/etc/passwd", "a//b.jpg", "./a.jpg", "..", ".", "a/../../../b.jpg", `..\..\x.jpg`, "C:/x.jpg", "a.jpg", "a.png", "A.jpg", "a.txt/b.jpg", "a.txt",
		"con\x01.jpg", "a%2fb.jpg", "%2E%2E/x.jpg", "x\n.jpg", "x .jpg ", strings.Repeat("ü", 400) + ".jpg", strings.Repeat("ü", 400) + ".png", "same-name/x.jpg", "<x>|?*.jpg", "~/x", "-rf", "x/"}
	manifest := ""
	for _, prefix := range []string{"s3://photos/", "s3://photos2/"} {
		for _, k := range keys {
			manifest += boxLine(prefix+strings.ToValidUTF8(k, ""), "", dogMap)
		}
	}
	manifest = strings.NewReplacer(`\x01`, `\u0001`).Replace(manifest)
	for _, format := range []string{"yolo", "voc"} {
		w, err := export(t, format, manifest, exchange.Names{})
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		n := 0
		ext := map[string]string{"yolo": ".txt", "voc": ".xml"}[format]
		err = filepath.WalkDir(w.path, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(name) == ext && !strings.Contains(name, "ImageSets") && filepath.Base(name) != "labels.txt" {
				n++
			}
			return err
		})
		if n != 2*len(keys) || err != nil {
			t.Errorf("%s: %d files for %d pictures, %v", format, n, 2*len(keys), err)
		}
		entries, err := os.ReadDir(filepath.Dir(w.path))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), "0") {
				t.Errorf("%s: %s was written beside the folder", format, e.Name())
			}
		}
		got, _, err := load(t, format, w.path, exchange.Boxes, exchange.Names{})
		if err != nil || len(got) != 2*len(keys) {
			t.Errorf("%s: %d come back, %v", format, len(got), err)
		}
	}
	// A picture twice: two labels, and both are kept.
	for _, format := range []string{"yolo", "voc"} {
		w, err := export(t, format, boxLine("s3://photos/x.jpg", "", dogMap)+boxLine("s3://photos/x.jpg", "", dogMap), exchange.Names{})
		if err != nil || !strings.Contains(w.said(), "kept apart below same-name/") {
			t.Errorf("%s: a picture twice: %v, %s", format, err, w.said())
		}
		got, _, err := load(t, format, w.path, exchange.Boxes, exchange.Names{})
		if err != nil || len(got) != 2 {
			t.Errorf("%s: %d come back, %v", format, len(got), err)
		}
	}
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range []string{"../x", "/x", "a/../../x", "", ".", `a\b`, "a//b", "x\x00"} {
		if _, err := f.Create(name); err == nil {
			t.Errorf("the folder took the name %q", name)
		}
	}
}

const (
	laughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>`
	vocHas = "<filename>x.jpg</filename><size><width>10</width><height>10</height><depth>3</depth></size>"
)

func vocObject(coordinates string) string {
	return "== Annotations/x.xml\n<annotation>" + vocHas + "<object><name>dog</name><bndbox>" + coordinates + "</bndbox></object></annotation>"
}

func yoloLine(line string) string {
	return "== data.yaml\nnames: {0: dog}\n== sources.jsonl\n{\"file\":\"x.jpg\",\"width\":10,\"height\":10}\n== labels/x.txt\n" + line + "\n"
}

func cocoDocument(annotation string) string {
	return `{"images":[{"id":1,"file_name":"x.jpg","width":10,"height":10}],"annotations":[` + annotation + `],"categories":[{"id":1,"name":"dog"}]}`
}

// Files that imports refuse, each with what is said.
func TestFilesThatAreRefused(t *testing.T) {
	deepXML := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	for _, c := range []struct{ name, format, text, want string }{
		{"entity bomb", "cvat", laughs + `<annotations><image name="&lol2;"/></annotations>`, "it has a document type"},
		{"external entity", "voc", "== Annotations/x.xml\n" + `<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation>` + vocHas + "</annotation>", "it has a document type"},
		{"document type within an element", "cvat", `<annotations><image id="1" name="x.jpg" width="1" height="1"><!DOCTYPE a><box/></image></annotations>`, "it has a document type"},
		{"entity that XML does not have", "cvat", `<annotations><image id="1" name="&lol;" width="1" height="1"/></annotations>`, "invalid character entity"},
		{"elements in elements", "cvat", "<annotations><meta>" + deepXML + "</meta></annotations>", "nested deeper than 32"},
		{"cut short", "cvat", `<annotations><image id="1"`, "it is not XML as expected"},
		{"another encoding", "cvat", `<?xml version="1.0" encoding="ISO-8859-1"?><annotations/>`, `encoding "ISO-8859-1"`},
		{"not UTF-8", "cvat", "<annotations><image name=\"\xff\"/></annotations>", "invalid UTF-8"},
		{"video", "cvat", "<annotations><track/></annotations>", "expected CVAT for images 1.1"},
		{"a box that is no number", "cvat", `<annotations><image name="x.jpg" width="9" height="9"><box label="a" xtl="NaN" ytl="1" xbr="2" ybr="2"/></image></annotations>`, "the coordinate NaN"},
		{"a mask that leads out of the picture", "cvat mask", `<annotations><image name="x.jpg" width="9" height="9"><mask label="a" rle="0,4" left="8" top="8" width="2" height="2"/></image></annotations>`, "is not within the picture"},
		{"a mask beyond all bounds", "cvat mask", `<annotations><image name="x.jpg" width="16000000" height="16000000"></image></annotations>`, "at most 100000000 pixels"},
		{"a path", "cvat", `<annotations><image name="../../etc/passwd" width="9" height="9"/></annotations>`, "is not a file name"},

		{"a path", "coco", strings.Replace(cocoDocument(""), "x.jpg", "../../x.jpg", 1), "is not a file name"},
		{"an absolute path", "coco", strings.Replace(cocoDocument(""), "x.jpg", "/etc/passwd", 1), "is not a file name"},
		{"too deep", "coco", `{"info":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) + "}", "nested deeper than 64"},
		{"an element too deep", "coco", `{"images":[` + strings.Repeat(`[`, 100) + strings.Repeat("]", 100) + "]}", "nested deeper than 64"},
		{"cut short", "coco", `{"images":[{"id":1`, "it is not JSON"},
		{"a category that is not there", "coco", cocoDocument(`{"id":4,"image_id":1,"category_id":2,"bbox":[1,1,1,1]}`), "annotation 4: its category_id 2 is not in categories"},
		{"a picture that is not there", "coco", cocoDocument(`{"id":4,"image_id":2,"category_id":1,"bbox":[1,1,1,1]}`), "annotation 4: its image_id 2 is not in images"},
		{"a huge box", "coco", cocoDocument(`{"id":4,"image_id":1,"category_id":1,"bbox":[1e300,1,1,1]}`), "the coordinate 1e+300"},
		{"a box of three numbers", "coco", cocoDocument(`{"id":4,"image_id":1,"category_id":1,"bbox":[1,1,1]}`), "expected bbox to be"},
		{"a list", "coco", `[]`, "expected a JSON object"},
		{"no list of pictures", "coco", `{"annotations":[],"categories":[]}`, `it has no "images"`},
		{"a list twice", "coco", `{"images":[],"images":[]}`, `it has "images" more than once`},
		{"an id twice", "coco", `{"images":[{"id":1,"file_name":"x","width":1,"height":1},{"id":1,"file_name":"y","width":1,"height":1}],"annotations":[],"categories":[]}`, "two images have the id 1"},
		{"not UTF-8", "coco", "{\"images\":[{\"id\":1,\"file_name\":\"\xff\",\"width\":1,\"height\":1}]}", "it is not UTF-8"},
		{"run lengths beyond the picture", "coco mask", cocoDocument(`{"id":4,"image_id":1,"category_id":1,"bbox":[1,1,1,1],"segmentation":{"size":[10,10],"counts":[1,1000000]}}`), "run lengths do not fit"},
		{"run lengths that overflow", "coco mask", cocoDocument(`{"id":4,"image_id":1,"category_id":1,"segmentation":{"size":[10,10],"counts":"ooooooooooooooooo"}}`), "cut short or too long"},
		{"a picture beyond all bounds", "coco mask", `{"images":[{"id":1,"file_name":"x.jpg","width":16000000,"height":16000000}],"annotations":[],"categories":[]}`, "at most 100000000 pixels"},
		{"a polygon that is no number", "coco mask", cocoDocument(`{"id":4,"image_id":1,"category_id":1,"segmentation":[[1,1,1e300,5,6,6]]}`), "the coordinate 1e+300"},

		{"not a number", "yolo", yoloLine("0 nan 0.5 0.5 0.5"), `labels/x.txt line 1: "nan" is not a part`},
		{"infinite", "yolo", yoloLine("0 inf 0.5 0.5 0.5"), `"inf" is not a part`},
		{"pixels", "yolo", yoloLine("0 100 50 20 20"), `"100" is not a part`},
		{"below 0", "yolo", yoloLine("0 -3 0.5 0.5 0.5"), `"-3" is not a part`},
		{"a class that is not there", "yolo", yoloLine("1 0.5 0.5 0.5 0.5"), `the class "1" is not in data.yaml's names`},
		{"a class below 0", "yolo", yoloLine("-1 0.5 0.5 0.5 0.5"), `the class "-1" is not`},
		{"two numbers", "yolo", yoloLine("0 0.5 0.5"), "it has 2 numbers after the class"},
		{"a path", "yolo", strings.Replace(yoloLine("0 0.5 0.5 0.5 0.5"), "x.jpg", "../x.jpg", 1), "is not a file name"},
		{"aliases of aliases", "yolo", "== data.yaml\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nnames: [*e,*e,*e,*e]\n", "data.yaml"},
		{"no size", "yolo", "== data.yaml\nnames: [a]\n== labels/x.txt\n0 0.5 0.5 0.1 0.1\n", "its picture's size is not known"},

		{"not a number", "voc", vocObject("<xmin>NaN</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"), "Annotations/x.xml: object 1: the coordinate NaN"},
		{"huge", "voc", vocObject("<xmin>1e300</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"), "the coordinate 1e+300"},
		{"corners the wrong way round", "voc", vocObject("<xmin>9</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"), "expected a width and height of 0 or more"},
		{"a path", "voc", strings.Replace(vocObject(""), "x.jpg", "/etc/passwd", 1), "is not a file name"},

		{"not a list", "label-studio", `{}`, "expected a JSON array"},
		{"huge", "label-studio", `[{"data":{"image":"s3://photos/x"},"annotations":[{"result":[{"type":"rectanglelabels","original_width":10,"original_height":10,"value":{"x":1e300,"y":0,"width":1,"height":1,"rectanglelabels":["a"]}}]}]}]`, "the coordinate 1e+299"},
		{"a size that is none", "label-studio", `[{"data":{"image":"s3://photos/x"},"annotations":[{"result":[{"type":"rectanglelabels","value":{"x":1,"y":0,"width":1,"height":1,"rectanglelabels":["a"]}}]}]}]`, "the picture is 0 x 0"},
		{"a path", "label-studio", `[{"data":{"image":"/data/../x"}}]`, "is not a file name"},
		{"a bucket that is not below the prefix", "label-studio", `[{"data":{"image":"s3://elsewhere/x"}}]`, "is not below the prefix"},
		{"a span beyond the text", "label-studio", `[{"data":{"text":"abc"},"annotations":[{"result":[{"type":"labels","value":{"start":1,"end":9,"labels":["a"]}}]}]}]`, "1 to 9 is not the stretch"},

		{"a tag that is none", "conll", "x X-A\n", `line 1: "X-A" is not a tag`},
		{"not UTF-8", "conll", "\xff O\n", "line 1: it is not UTF-8"},
		{"no type", "csv", "source-ref,label\ns3://photos/x,dog\n", "the column type is missing"},
		{"a box that is no number", "csv", "source-ref,type,label,left,top,width,height,image_width,image_height\ns3://photos/x,groundtruth/object-detection,dog,NaN,1,1,1,10,10\n", "line 2: the coordinate NaN"},
		{"not UTF-8", "csv", "source,type,label\n\xff,groundtruth/text-classification,dog\n", "line 2: it is not UTF-8"},
		{"lists of unequal length", "jsonl", `{"source_ref":"s3://photos/x","width":1,"height":1,"objects":{"bbox":[[0,0,1,1]],"category":[],"category_name":[],"score":[]},"info":{"type":"groundtruth/object-detection"}}`, "of the same length"},
	} {
		format, as, _ := strings.Cut(c.format, " ")
		kind := exchange.Boxes
		if as == "mask" {
			kind = exchange.Mask
		}
		if format == "label-studio" {
			kind = ""
		}
		_, err := importing(t, format, c.text, kind, "s3://photos/")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %q", c.format, c.name, err, c.want)
		}
	}
}

// endless is a gigabyte of one letter.
type endless struct{ left int64 }

var letters = strings.Repeat("a", 64<<10)

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), e.left)], letters)
	e.left -= int64(n)
	return n, nil
}

// A line, text or element of a gigabyte is refused at the limit: what was read
// of it is a small part, and memory did not grow with it.
func TestGigabytes(t *testing.T) {
	const gigabyte = 1 << 30
	nothing := func(*exchange.Record) error { return nil }
	for name, read := range map[string]func(io.Reader) error{
		"manifest": func(r io.Reader) error {
			_, err := exchange.NewReader(io.MultiReader(strings.NewReader(`{"source":"`), r), "").Next()
			return err
		},
		"COCO": func(r io.Reader) error {
			return coco.Read(io.MultiReader(strings.NewReader(`{"images":[{"id":1,"file_name":"`), r), coco.ReadOptions{Notes: &exchange.Notes{}}, nothing)
		},
		"COCO, a member that is skipped": func(r io.Reader) error {
			return coco.Read(io.MultiReader(strings.NewReader(`{"info":"`), r), coco.ReadOptions{Notes: &exchange.Notes{}}, nothing)
		},
		"CVAT": func(r io.Reader) error {
			return cvat.Read(io.MultiReader(strings.NewReader(`<annotations><image name="`), r), cvat.Options{Notes: &exchange.Notes{}}, nothing)
		},
		"CVAT, a text": func(r io.Reader) error {
			return cvat.Read(io.MultiReader(strings.NewReader(`<annotations>`), r), cvat.Options{Notes: &exchange.Notes{}}, nothing)
		},
		"CoNLL": func(r io.Reader) error { return conll.Read(r, &exchange.Notes{}, nothing) },
	} {
		in := &endless{gigabyte}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := read(in)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%s: %v", name, err)
		}
		if done := gigabyte - in.left; done > 64<<20 {
			t.Errorf("%s: %d bytes were read before it was refused", name, done)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<20 {
			t.Errorf("%s: %d bytes were allocated", name, grown)
		}
	}
}

// Importers take what anybody sends: they never fail otherwise than by their
// error, and what they make is a manifest that reads.
func FuzzImport(f *testing.F) {
	for _, format := range []string{"coco", "yolo", "voc", "label-studio", "cvat", "conll", "csv", "jsonl"} {
		f.Add(format, "")
	}
	f.Add("coco", cocoDocument(`{"id":4,"image_id":1,"category_id":1,"bbox":[1,1,2.5,1],"score":0.5,"segmentation":[[1,1,5,1,5,5]]}`))
	f.Add("coco", cocoDocument(`{"id":4,"image_id":1,"category_id":1,"bbox":[1,1,1,1],"segmentation":{"size":[10,10],"counts":"11Q3"}}`))
	f.Add("yolo", yoloLine("0 0.5 0.5 0.5 0.5"))
	f.Add("yolo", yoloLine("0 0.1 0.1 0.5 0.1 0.5 0.5"))
	f.Add("voc", vocObject("<xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"))
	f.Add("label-studio", labelStudio)
	f.Add("cvat", cvatXML)
	f.Add("cvat", laughs)
	f.Add("conll", "-DOCSTART- -X- _ O\n\nAnn -X- _ B-PER\nLee -X- _ I-PER\n\n. -X- _ O\n")
	f.Add("csv", "object,source,type,label,confidence,start,end\n1,Ann,groundtruth/text-span,PER,0.5,0,3\n")
	f.Add("jsonl", `{"text":"Ann","entities":[{"label":"PER","start":0,"end":3,"score":null}],"info":{"type":"groundtruth/text-span"}}`)
	f.Fuzz(func(t *testing.T, format, text string) {
		switch format {
		case "coco", "yolo", "voc", "label-studio", "cvat", "conll", "csv", "jsonl":
		default:
			return
		}
		kinds := []exchange.Kind{exchange.Boxes, exchange.Mask}
		if format == "cvat" || format == "label-studio" {
			kinds = append(kinds, exchange.Class, exchange.MultiLabel)
		}
		for _, kind := range kinds {
			got, err := importing(t, format, text, kind, "s3://photos/")
			if err != nil {
				continue
			}
			r := exchange.NewReader(strings.NewReader(got.manifest()), "label")
			n := 0
			for {
				rec, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s made a manifest that cannot be read: %v\n%s", format, err, got.manifest())
				}
				n++
				for _, b := range rec.Boxes {
					if b.Check() != nil || format != "csv" && format != "jsonl" && (b.Left < 0 || b.Top < 0 || b.Left+b.Width > float64(rec.Size.Width) || b.Width < 1) {
						t.Fatalf("%s made the box %+v", format, b)
					}
				}
			}
			if n != len(got.lines) {
				t.Fatalf("%d lines of %d", n, len(got.lines))
			}
		}
	})
}

// What is written of any manifest can be read again.
func FuzzExport(f *testing.F) {
	for _, m := range manifests {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, manifest string) {
		for _, format := range []string{"coco", "yolo", "voc", "conll", "csv", "jsonl"} {
			w, err := export(t, format, manifest, exchange.Names{})
			if err != nil {
				continue
			}
			kind := exchange.Boxes
			r := exchange.NewReader(strings.NewReader(manifest), "")
			for {
				rec, err := r.Next()
				if err != nil {
					break
				}
				if rec.Kind != "" {
					kind = rec.Kind
				}
			}
			if _, err := os.Stat(w.path); err != nil {
				t.Fatal(err)
			}
			if format == "jsonl" {
				if entries, _ := os.ReadDir(w.path); len(entries) == 0 {
					continue // no labels
				}
			}
			if _, _, err := load(t, format, w.path, kind, exchange.Names{}); err != nil && !strings.Contains(err.Error(), "XML files") && !strings.Contains(err.Error(), "names the columns") {
				t.Fatalf("%s cannot be read again: %v\n%s", format, err, manifest)
			}
		}
	})
}
