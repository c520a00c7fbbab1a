package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	cssStart    = "css`"
	stylesPath  = "fiducial:styles"
	stylesTable = "fiducialStyles"
)

// styles are the style sheets of one bundle, in one table of texts: beside each
// other they compress a quarter better than each in the midst of its element.
type styles struct {
	texts []string
	at    map[string]int // by text
}

// stylesOf collects the css literals without placeholders of the modules in an
// output, which a build without them has told.
func stylesOf(abs string, o api.BuildOptions, output string) (*styles, error) {
	sources, err := inputs(o, output)
	if err != nil {
		return nil, err
	}
	s := &styles{at: map[string]int{}}
	for _, name := range sources {
		if !strings.HasPrefix(name, "src/") {
			continue
		}
		source, err := os.ReadFile(filepath.Join(abs, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		for _, text := range plainLiterals(string(source)) {
			small, err := minifyCSS(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			s.at[text] = len(s.texts)
			s.texts = append(s.texts, small)
		}
	}
	return s, nil
}

// inputs are the modules that have a part in an output, by name.
func inputs(o api.BuildOptions, output string) ([]string, error) {
	o.Metafile = true
	result := api.Build(o)
	if len(result.Errors) > 0 {
		return nil, errors.New(joinMessages(result.Errors))
	}
	var meta struct {
		Outputs map[string]struct {
			Inputs map[string]struct{ BytesInOutput int }
		}
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return nil, err
	}
	var names []string
	for name, size := range meta.Outputs["dist/"+output].Inputs {
		if size.BytesInOutput > 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// plainLiterals are the texts of a source's css literals that have no placeholder.
func plainLiterals(source string) []string {
	var out []string
	for {
		_, rest, found := strings.Cut(source, cssStart)
		text, after, closed := strings.Cut(rest, "`")
		if !found || !closed {
			return out
		}
		if !strings.Contains(text, "${") {
			out = append(out, text)
		}
		source = after
	}
}

var customProperty = regexp.MustCompile(`(--[\w-]+): `)

func minifyCSS(text string) (string, error) {
	result := api.Transform(text, api.TransformOptions{Loader: api.LoaderCSS, MinifyWhitespace: true, MinifySyntax: true, Charset: api.CharsetUTF8})
	if len(result.Errors) > 0 || len(result.Warnings) > 0 {
		return "", errors.New(joinMessages(append(result.Errors, result.Warnings...)))
	}
	// The values of variables are left as they are written, since they could be anything; ours are lists.
	code := customProperty.ReplaceAllString(strings.TrimSpace(string(result.Code)), "$1:")
	return strings.ReplaceAll(code, ", #", ",#"), nil
}

// lift puts references to the table in the place of the literals of a source.
func (s *styles) lift(source string) string {
	if s == nil {
		return source
	}
	lifted := false
	for _, text := range plainLiterals(source) {
		if at, known := s.at[text]; known {
			source = strings.Replace(source, cssStart+text+"`", "css("+stylesTable+"["+strconv.Itoa(at)+"])", 1)
			lifted = true
		}
	}
	if !lifted {
		return source
	}
	return "import { styles as " + stylesTable + " } from " + strconv.Quote(stylesPath) + ";" + source
}

// module is the table as a module: lists of one text, as the tag css takes them.
func (s *styles) module() string {
	var b strings.Builder
	b.WriteString("export const styles = [\n")
	for _, text := range s.texts {
		b.WriteString("[`" + text + "`],\n")
	}
	b.WriteString("].map((text) => text);\n")
	return b.String()
}

func (s *styles) plugin() api.Plugin {
	contents := s.module()
	return api.Plugin{
		Name: "styles",
		Setup: func(build api.PluginBuild) {
			build.OnResolve(api.OnResolveOptions{Filter: `^` + stylesPath + `$`}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
				return api.OnResolveResult{Path: "styles", Namespace: "styles"}, nil
			})
			build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "styles"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
				return api.OnLoadResult{Contents: &contents, Loader: api.LoaderJS}, nil
			})
		},
	}
}
