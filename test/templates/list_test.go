package templates

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A known template: a file of somebody's repository, or a cell of a notebook
// whose Python holds one ("book.ipynb#cell-template-1" is the first such cell).
type known struct {
	repo, path string
	cell       int
}

func (k known) String() string {
	s := k.repo + ":" + k.path
	if k.cell > 0 {
		s += "#" + strconv.Itoa(k.cell)
	}
	return s
}

// readList reads lines of repository, tab, path; what follows is a remark.
func readList(name string) ([]known, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []known
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(lines.Text(), "#") || len(fields) < 2 {
			continue
		}
		k := known{repo: fields[0], path: strings.TrimSpace(fields[1])}
		if path, cell, ok := strings.Cut(k.path, "#cell-template-"); ok {
			n, err := strconv.Atoi(cell)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%s: %q is not the number of a cell", name, cell)
			}
			k.path, k.cell = path, n
		}
		list = append(list, k)
	}
	return list, lines.Err()
}

func (k known) read(folder string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(k.repo), filepath.FromSlash(k.path)))
	if err != nil || k.cell == 0 {
		return string(raw), err
	}
	var book struct {
		Cells []struct {
			Source []string `json:"source"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(raw, &book); err != nil {
		return "", err
	}
	n := 0
	for _, c := range book.Cells {
		code := strings.Join(c.Source, "")
		if !strings.Contains(code, "<crowd-") {
			continue
		}
		if n++; n == k.cell {
			return pythonText(code)
		}
	}
	return "", fmt.Errorf("%s has no %d cells with a template", k.path, k.cell)
}

var (
	tripleQuoted = regexp.MustCompile(`(?s)"""(.*?)"""|'''(.*?)'''`)
	field        = regexp.MustCompile(`base64,\{[a-z_]*\}|"\{\}"|\{\{|\}\}|\{[a-z_]*\}`)
)

// pythonText is the template in a cell's triple-quoted string, formatted when the
// cell formats it: doubled braces become single, fields get what their place asks for.
func pythonText(code string) (string, error) {
	for _, m := range tripleQuoted.FindAllStringSubmatchIndex(code, -1) {
		text := code[m[0]+3 : m[1]-3]
		if !strings.Contains(text, "<crowd-") {
			continue
		}
		if !strings.HasPrefix(code[m[1]:], ".format(") {
			return text, nil
		}
		return field.ReplaceAllStringFunc(text, func(s string) string {
			switch {
			case s == "{{" || s == "}}":
				return s[:1]
			case strings.HasPrefix(s, "base64,"):
				return "base64," + base64.StdEncoding.EncodeToString(picturePNG())
			case s == `"{}"`: // the address of an example
				return `"https://s3.amazonaws.com/examples/bird.jpg"`
			case strings.Contains(s, "label"), strings.Contains(s, "categor"):
				return "['Bird', 'Cat']"
			default:
				return "bird"
			}
		}), nil
	}
	return "", fmt.Errorf("no text with a template in the cell")
}
