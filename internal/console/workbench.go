package console

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/template"
)

// workbenchLimit bounds the form: a template and an input of the largest size
// that RenderUiTemplate takes, every character of them escaped.
const workbenchLimit = 2 << 20

type workbenchPage struct {
	Starters []template.Starter
	Chosen   template.Starter
	Role     string
}

// workbench is where templates are written and tried. It keeps nothing.
func (s *Console) workbench(v *visit) (reply, error) {
	p := workbenchPage{Starters: template.Starters(), Role: trimmed(v.URL.Query().Get("role"))}
	p.Chosen = p.Starters[0]
	if name := v.URL.Query().Get("starter"); name != "" {
		var ok bool
		if p.Chosen, ok = template.StarterNamed(name); !ok {
			return nil, fault.Newf("console.workbench", fault.NotFound, "There is no such starter template.")
		}
	}
	return scripted{page{"workbench", http.StatusOK, "Template workbench", p}, workbenchScript}, nil
}

// workbenchScript makes the preview while somebody types.
const workbenchScript = "/console/workbench.js"

// rendering is what RenderUiTemplate answers.
type rendering struct {
	RenderedContent string
	Errors          []struct{ Code, Message string }
}

// preview renders what the form holds, for the frame beside it. What goes wrong is
// shown in that frame.
func (s *Console) preview(v *visit) (reply, error) {
	src := strings.ReplaceAll(v.PostForm.Get("template"), "\r\n", "\n") // as browsers send what was a line's end
	in := map[string]any{
		"UiTemplate": map[string]string{"Content": src},
		"Task":       map[string]string{"Input": v.PostForm.Get("input")},
		"RoleArn":    trimmed(v.PostForm.Get("role")),
	}
	var out rendering
	if err := s.ask(v, "sagemaker", "RenderUiTemplate", in, &out); err != nil {
		if fault.Is(err, fault.Internal) {
			s.Logger.Error("console", "path", v.URL.Path, "error", err)
		}
		return s.faults("The preview was not made", []mark{{Message: fault.MessageOf(err)}}, "")
	}
	if len(out.Errors) == 0 {
		return previewed{http.StatusOK, s.Frame.Document(out.RenderedContent)}, nil
	}
	var marks []mark
	for _, e := range out.Errors {
		marks = append(marks, locate(e.Code, e.Message))
	}
	return s.faults("What a worker would not see", marks, src)
}

// mark is an error and where it is.
type mark struct {
	Code, Message string
	Line, Column  int
}

var place = regexp.MustCompile(`^(?s:(.*)) \(line (\d{1,9}), column (\d{1,9})\)$`)

// locate takes the place off a message of RenderUiTemplate.
func locate(code, message string) mark {
	m := place.FindStringSubmatch(message)
	if m == nil {
		return mark{Code: code, Message: message}
	}
	line, _ := strconv.Atoi(m[2]) // digits, by the expression
	column, _ := strconv.Atoi(m[3])
	return mark{code, m[1], line, column}
}

type markedLine struct {
	Number int
	Text   string
	Marks  []mark
}

type faultsPage struct {
	Title string
	Marks []mark
	Lines []markedLine
}

func (s *Console) faults(title string, marks []mark, src string) (reply, error) {
	p := faultsPage{Title: title, Marks: marks}
	if src != "" {
		for i, text := range strings.Split(src, "\n") {
			l := markedLine{Number: i + 1, Text: text}
			for _, m := range marks {
				if m.Line == l.Number {
					l.Marks = append(l.Marks, m)
				}
			}
			p.Lines = append(p.Lines, l)
		}
	}
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, "faults.html", p); err != nil {
		return nil, fault.E("console.faults", fault.Internal, "", err)
	}
	return previewed{http.StatusUnprocessableEntity, b.Bytes()}, nil
}

// previewed is a document for the frame of the workbench: the template's, with the
// sandbox and the policy that it has for workers.
type previewed struct {
	status int
	body   []byte
}

func (o previewed) write(s *Console, _ *visit, w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Security-Policy", s.Frame.Policy())
	if list := s.Frame.Connections(); list != "" {
		h.Set("Connection-Allowlist", list)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	w.WriteHeader(o.status)
	_, err := w.Write(o.body)
	return err
}
