// Command webbuild bundles web/src into web/dist.
//
// It runs esbuild in-process. Around it, two scripts of web/build run in Node, with
// what `npm ci` lays into web/node_modules: one finds out which names nobody outside
// of a bundle knows, so that they can be short, and one has terser go over what
// esbuild made. The same sources give the same bytes: no timestamps, no absolute
// paths, no hashes of the machine. With -check nothing is written; the program fails when web/dist
// is not what the sources give.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	firstEntry  = "src/crowd/crowd-html-elements.ts"
	firstPart   = "crowd-html-elements.js"
	secondEntry = "src/crowd/crowd-segmentation.ts"
	secondPart  = "crowd-segmentation.js"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail when dist is not what the sources give")
	root := flag.String("root", "web", "the web folder")
	flag.Parse()
	if err := run(os.Stdout, *root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "webbuild:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, root string, check bool) error {
	files, err := build(root)
	if err != nil {
		return err
	}
	for _, f := range files {
		fmt.Fprintf(out, "%-26s %7d bytes\n", f.name, len(f.bytes))
	}
	dist := filepath.Join(root, "dist")
	if check {
		return compare(dist, files)
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	zipped, err := zip(abs, files)
	if err != nil {
		return err
	}
	for _, f := range zipped {
		fmt.Fprintf(out, "%-26s %7d bytes\n", f.name, len(f.bytes))
	}
	return write(dist, append(files, zipped...))
}

func compare(dist string, files []file) error {
	var stale []error
	for _, f := range files {
		have, err := os.ReadFile(filepath.Join(dist, f.name))
		if err != nil || !bytes.Equal(have, f.bytes) {
			stale = append(stale, fmt.Errorf("%s is not what the sources give; run `go run ./tools/webbuild`", filepath.Join(dist, f.name)))
		}
		if !zippable(f.name) {
			continue
		}
		// To compress again would take longer than all the rest: it opens to the same.
		if have, err := unzipped(filepath.Join(dist, f.name+".gz")); err != nil || !bytes.Equal(have, f.bytes) {
			stale = append(stale, fmt.Errorf("%s.gz is not what the sources give; run `go run ./tools/webbuild`", filepath.Join(dist, f.name)))
		}
	}
	return errors.Join(stale...)
}

func write(dist string, files []file) error {
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dist, f.name), f.bytes, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A file is one bundle, by its name within dist.
type file struct {
	name  string
	bytes []byte
}

// build runs esbuild over the entry points.
func build(root string) ([]file, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(abs, "node_modules", "lit")); err != nil {
		return nil, fmt.Errorf("%s has no node_modules/lit: run `npm ci` there first", root)
	}
	sheets, err := stylesOf(abs, options(abs, nil), firstPart)
	if err != nil {
		return nil, err
	}
	part, err := partOptions(abs)
	if err != nil {
		return nil, err
	}
	pattern, names, err := privateNames(abs)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, o := range []api.BuildOptions{options(abs, sheets), part} {
		o.MangleProps, o.MangleCache = pattern, names
		result := api.Build(o)
		if len(result.Errors) > 0 {
			return nil, errors.New(joinMessages(result.Errors))
		}
		if len(result.Warnings) > 0 {
			return nil, errors.New(joinMessages(result.Warnings))
		}
		for _, f := range result.OutputFiles {
			files = append(files, file{name: filepath.Base(f.Path), bytes: f.Contents})
		}
	}
	if err := secondPass(abs, files); err != nil {
		return nil, err
	}
	shortTokens(files)
	// The bundles have no comments, so what their license asks for stands beside them.
	licenses := []byte("The scripts beside this file contain lit-html and json5.\n")
	for _, l := range []string{"lit-html/LICENSE", "json5/LICENSE.md"} {
		text, err := os.ReadFile(filepath.Join(abs, "node_modules", filepath.FromSlash(l)))
		if err != nil {
			return nil, err
		}
		licenses = append(append(licenses, "\n"+filepath.Dir(l)+"\n\n"...), text...)
	}
	return append(files, file{name: "licenses.txt", bytes: licenses}), nil
}

func options(abs string, sheets *styles) api.BuildOptions {
	o := api.BuildOptions{
		AbsWorkingDir: abs,
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: firstEntry, OutputPath: "crowd-html-elements"},
			{InputPath: "src/portal/portal.ts", OutputPath: "portal"},
			{InputPath: "src/portal/portal.css", OutputPath: "portal"},
			{InputPath: "src/portal/probe.ts", OutputPath: "probe"},
			{InputPath: "src/console/workbench.ts", OutputPath: "workbench"},
		},
		Outdir:            filepath.Join(abs, "dist"),
		Bundle:            true,
		Format:            api.FormatIIFE,
		Target:            api.ES2022,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone,
		Charset:           api.CharsetUTF8,
		Tsconfig:          filepath.Join(abs, "tsconfig.json"),
		Define:            map[string]string{"process.env.NODE_ENV": `"production"`},
		Plugins:           []api.Plugin{minifyTemplates(sheets), unicodeOfTheBrowser()},
		LogLevel:          api.LogLevelSilent,
	}
	if sheets != nil {
		o.Plugins = append(o.Plugins, sheets.plugin())
	}
	return o
}

func joinMessages(messages []api.Message) string {
	var b bytes.Buffer
	for _, s := range api.FormatMessages(messages, api.FormatMessagesOptions{Kind: api.ErrorMessage}) {
		b.WriteString(s)
	}
	return b.String()
}
