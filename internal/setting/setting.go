// Package setting reads settings that are lists: in the settings file the list
// itself, as a flag or a variable the name of a YAML file with it.
package setting

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxFile bounds the file, in bytes.
const maxFile = 1 << 20

// File gives the bytes of the named file to take. Errors name the file.
func File(name string, take func([]byte) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("at most %d bytes are allowed", maxFile)
	}
	if err == nil {
		err = take(b)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// List reads a list of what the second argument says. A member that T does not
// know is an error; no document at all is an empty list.
func List[T any](b []byte, of string) ([]T, error) {
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	var list []T
	if err := d.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("expected a list of " + of + ": " + strings.ReplaceAll(err.Error(), "\n", ""))
	}
	return list, nil
}

// Line is a list as YAML on one line.
func Line(list any) string {
	var n yaml.Node
	if err := n.Encode(list); err != nil {
		return ""
	}
	flow(&n)
	b, err := yaml.Marshal(&n)
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

func flow(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		n.Style = yaml.FlowStyle
	} else if strings.Contains(n.Value, "\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		flow(c)
	}
}
