package cli

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fiducial/assets"
	"fiducial/internal/fault"
	worker "fiducial/internal/template"
	"fiducial/web"
)

//go:embed preview
var previewFiles embed.FS

func now() time.Time { return time.Now() }

func newTemplatePreview() *cobra.Command {
	var s sheet
	var listen string
	c := &cobra.Command{
		Use:   "preview FILE",
		Short: "Show a template in a browser as a worker will see it",
		Long: "Shows a template in a browser as a worker will see it, in the same sandbox, and the answer when it is submitted. The files are read again whenever they change. " +
			"Objects that the template shows are files of --media; pictures of s3://samples/ are there without.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s.file = args[0]
			if _, _, err := s.read(); err != nil {
				return err
			}
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return &usageError{fmt.Errorf("--listen: %q: expected host:port that is free: %w", listen, err)}
			}
			p, err := newPreview(&s, "http://"+l.Addr().String())
			if err != nil {
				return err
			}
			srv := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
			fmt.Fprintf(c.OutOrStdout(), "Preview of %s: %s\n", s.file, p.origin)
			ended := context.AfterFunc(c.Context(), func() { _ = srv.Close() })
			defer ended()
			if err := srv.Serve(l); err != http.ErrServerClosed {
				return err
			}
			return nil
		},
	}
	s.flags(c)
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:9009", "address of the preview")
	return c
}

// preview serves one template file to whoever writes it.
type preview struct {
	sheet  *sheet
	origin string
	mux    *http.ServeMux
	page   *template.Template
}

func newPreview(s *sheet, origin string) (*preview, error) {
	page, err := template.ParseFS(previewFiles, "preview/preview.html")
	if err != nil {
		return nil, fault.E("cli.newPreview", fault.Internal, "", err)
	}
	dist, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		return nil, fault.E("cli.newPreview", fault.Internal, "", err)
	}
	own, err := fs.Sub(previewFiles, "preview")
	if err != nil {
		return nil, fault.E("cli.newPreview", fault.Internal, "", err)
	}
	p := &preview{sheet: s, origin: origin, mux: http.NewServeMux(), page: page}
	p.mux.HandleFunc("GET /{$}", p.outer)
	p.mux.HandleFunc("GET /frame", p.frame)
	p.mux.HandleFunc("GET /version", p.version)
	p.mux.HandleFunc("GET /media/{bucket}/{key...}", p.medium)
	p.mux.Handle("GET /assets/", shared(http.StripPrefix("/assets/", http.FileServerFS(dist))))
	p.mux.Handle("GET /own/", http.StripPrefix("/own/", http.FileServerFS(own)))
	return p, nil
}

// shared lets the frame, whose origin is opaque, load what is served.
func shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP answers for the preview's own name only: a page elsewhere whose name
// leads here must not read the template.
func (p *preview) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, port, _ := net.SplitHostPort(r.Host)
	if r.Host != strings.TrimPrefix(p.origin, "http://") && r.Host != "localhost:"+port {
		http.Error(w, "This preview is at "+p.origin, http.StatusMisdirectedRequest)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'self'")
	p.mux.ServeHTTP(w, r)
}

type sourceLine struct {
	Number int
	Text   string
	Errors []worker.RenderError
}

func (p *preview) render(ctx context.Context) (page string, lines []sourceLine, errs []worker.RenderError) {
	src, input, err := p.sheet.read()
	if err != nil {
		return "", nil, []worker.RenderError{{Code: "NoSuchFile", Message: describe(err)}}
	}
	page, errs = worker.Render(ctx, src, input, worker.Functions{GrantReadAccess: p.sheet.grant(p.origin), Now: now}, worker.Limits{})
	for i, text := range strings.Split(src, "\n") {
		l := sourceLine{Number: i + 1, Text: text}
		for _, e := range errs {
			if e.Line == l.Number {
				l.Errors = append(l.Errors, e)
			}
		}
		lines = append(lines, l)
	}
	return page, lines, errs
}

func (p *preview) outer(w http.ResponseWriter, r *http.Request) {
	_, lines, errs := p.render(r.Context())
	var b bytes.Buffer
	err := p.page.Execute(&b, struct {
		File, Version string
		Errors        []worker.RenderError
		Lines         []sourceLine
	}{p.sheet.file, p.stamp(), errs, lines})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

func (p *preview) frame(w http.ResponseWriter, r *http.Request) {
	page, _, errs := p.render(r.Context())
	f := worker.Frame{Origin: p.origin, Script: "/assets/crowd-html-elements.js", Segmentation: "/assets/crowd-segmentation.js", Media: []string{p.origin + "/media/"}, Fetch: []string{p.origin + "/media/"}}
	w.Header().Set("Content-Security-Policy", f.Policy())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if len(errs) > 0 {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	_, _ = w.Write(f.Document(page))
}

// stamp changes when one of the files does.
func (p *preview) stamp() string {
	var b strings.Builder
	for _, name := range []string{p.sheet.file, p.sheet.input} {
		if info, err := os.Stat(name); name != "" && err == nil {
			fmt.Fprintf(&b, "%d-%d.", info.ModTime().UnixNano(), info.Size())
		}
	}
	return b.String()
}

func (p *preview) version(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(p.stamp())
}

// medium serves an object: a file of the folder, or a sample.
func (p *preview) medium(w http.ResponseWriter, r *http.Request) {
	body, name, err := p.sheet.object(r.PathValue("bucket"), r.PathValue("key"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(body))
}

// grant makes the URL of an object that is there.
func (s *sheet) grant(origin string) func(context.Context, string, string) (string, error) {
	return func(_ context.Context, bucket, key string) (string, error) {
		if _, _, err := s.object(bucket, key); err != nil {
			return "", &worker.RenderError{Code: worker.CodeAccessDenied, Message: err.Error()}
		}
		parts := strings.Split(key, "/")
		for i := range parts {
			parts[i] = strings.NewReplacer("'", "%27", "(", "%28", ")", "%29").Replace(url.PathEscape(parts[i]))
		}
		return origin + "/media/" + bucket + "/" + strings.Join(parts, "/"), nil
	}
}

// object reads s3://bucket/key.
func (s *sheet) object(bucket, key string) (body []byte, name string, err error) {
	file, ok := inFolder(bucket, key)
	if ok && s.media != "" {
		root, err := os.OpenRoot(s.media)
		if err != nil {
			return nil, "", fmt.Errorf("--media: %w", err)
		}
		defer root.Close()
		if b, err := root.ReadFile(file); err == nil {
			return b, file, nil
		}
	}
	if bucket == "samples" {
		if b, err := assets.Photos.ReadFile("photos/" + key); err == nil {
			return b, key, nil
		}
		if key == "voice.wav" {
			return tone(), key, nil
		}
	}
	if s.media == "" {
		return nil, "", fmt.Errorf("s3://%s/%s is not at hand: give a folder with %s as --media", bucket, key, file)
	}
	return nil, "", fmt.Errorf("s3://%s/%s is not at hand: there is no file %s in %s", bucket, key, file, s.media)
}

// tone is a second of sound, as a WAV file.
func tone() []byte {
	const rate = 8000
	b := []byte("RIFF" + strconv.Itoa(0) + "   WAVEfmt ")
	binary.LittleEndian.PutUint32(b[4:], 36+2*rate)
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16)} {
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, 2*rate)
	for i := range rate {
		fade := math.Sin(math.Pi * float64(i) / rate)
		v := int16(6000 * fade * math.Sin(2*math.Pi*220*float64(i)/rate))
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}
