package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
)

func zippable(name string) bool {
	return strings.HasSuffix(name, ".js") || strings.HasSuffix(name, ".css")
}

// zip compresses the scripts and the style sheet as small as gzip can hold them. It
// takes some seconds, so it is done when they are built and not when they are served.
func zip(abs string, files []file) ([]file, error) {
	texts := map[string]string{}
	for _, f := range files {
		if zippable(f.name) {
			texts[f.name] = string(f.bytes)
		}
	}
	in, err := json.Marshal(texts)
	if err != nil {
		return nil, err
	}
	out, err := node(abs, in, "zip.mjs")
	if err != nil {
		return nil, err
	}
	var zipped map[string][]byte
	if err := json.Unmarshal(out, &zipped); err != nil {
		return nil, err
	}
	var list []file
	for _, f := range files {
		if b, ok := zipped[f.name]; ok {
			list = append(list, file{f.name + ".gz", b})
		}
	}
	return list, nil
}

func unzipped(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
