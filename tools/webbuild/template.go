package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// minifyTemplates drops the indentation of css`…` and html`…` literals in our
// own sources, which esbuild rightly leaves alone because to it they are data.
// Only white space that begins a line goes, so it never joins two words; text
// whose line breaks matter must not be written in a template.
func minifyTemplates(sheets *styles) api.Plugin {
	return api.Plugin{
		Name: "minify-templates",
		Setup: func(build api.PluginBuild) {
			build.OnLoad(api.OnLoadOptions{Filter: `[/\\]src[/\\].*\.ts$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
				source, err := os.ReadFile(args.Path)
				if err != nil {
					return api.OnLoadResult{}, err
				}
				contents := squeeze(sheets.lift(string(source)))
				return api.OnLoadResult{Contents: &contents, Loader: api.LoaderTS, ResolveDir: filepath.Dir(args.Path)}, nil
			})
		},
	}
}

// unicodeOfTheBrowser puts the browser's own character classes in the place of
// json5's tables of them, which are made for browsers that have none and are a
// tenth of the bundle.
func unicodeOfTheBrowser() api.Plugin {
	contents := "exports.Space_Separator = /[\\u1680\\u2000-\\u200A\\u202F\\u205F\\u3000]/;\nexports.ID_Start = /\\p{ID_Start}/u;\nexports.ID_Continue = /\\p{ID_Continue}/u;\n"
	return api.Plugin{
		Name: "unicode-of-the-browser",
		Setup: func(build api.PluginBuild) {
			build.OnLoad(api.OnLoadOptions{Filter: `[/\\]json5[/\\]lib[/\\]unicode\.js$`}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
				return api.OnLoadResult{Contents: &contents, Loader: api.LoaderJS}, nil
			})
		},
	}
}

var (
	lineIndent = regexp.MustCompile(`\n[ \t]+`)
	cssSpace   = regexp.MustCompile(`([{;,]) +`)
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// squeeze removes indentation at the start of lines, and comments in css
// literals. TypeScript does not care about indentation outside literals, so the
// whole file may be treated alike.
func squeeze(source string) string {
	source = lineIndent.ReplaceAllString(source, "\n")
	var b strings.Builder
	for {
		start := strings.Index(source, "css`")
		if start < 0 {
			b.WriteString(source)
			return b.String()
		}
		end := strings.Index(source[start+4:], "`")
		if end < 0 {
			b.WriteString(source)
			return b.String()
		}
		literal := source[start : start+4+end+1]
		b.WriteString(source[:start])
		b.WriteString(cssSpace.ReplaceAllString(strings.ReplaceAll(cssComment.ReplaceAllString(literal, ""), "\n", " "), "$1"))
		source = source[start+4+end+1:]
	}
}
