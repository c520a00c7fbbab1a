package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// secondPass has terser make the scripts smaller than esbuild does.
func secondPass(abs string, files []file) error {
	scripts := map[string]string{}
	for _, f := range files {
		if strings.HasSuffix(f.name, ".js") {
			scripts[f.name] = string(f.bytes)
		}
	}
	in, err := json.Marshal(scripts)
	if err != nil {
		return err
	}
	out, err := node(abs, in, "second-pass.mjs")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, &scripts); err != nil {
		return err
	}
	for i, f := range files {
		if code, ok := scripts[f.name]; ok {
			files[i].bytes = []byte(code + "\n")
		}
	}
	return nil
}

// privateNames gives short names to the members that only our own classes know.
// Every bundle gets the same ones, because parts share classes. They begin with
// an underscore and a letter, as nothing else in the bundles does.
func privateNames(abs string) (pattern string, names map[string]any, err error) {
	out, err := node(abs, nil, "private-names.mjs")
	if err != nil {
		return "", nil, err
	}
	list := strings.Fields(string(out))
	names = map[string]any{}
	for i, name := range list {
		names[name] = shortName(i)
		list[i] = regexp.QuoteMeta(name)
	}
	return "^(?:" + strings.Join(list, "|") + ")$", names, nil
}

func shortName(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	name := ""
	for ; ; n = n/len(letters) - 1 {
		name = string(letters[n%len(letters)]) + name
		if n < len(letters) {
			return "_" + name
		}
	}
}

func node(abs string, in []byte, script string) ([]byte, error) {
	cmd := exec.Command("node", filepath.Join(abs, "build", script))
	cmd.Dir = abs
	cmd.Stdin = bytes.NewReader(in)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("node %s: %w\n%s", script, err, said.String())
	}
	return out.Bytes(), nil
}
