package main

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
)

// tokenName is what the elements' own variables are called: colours, sizes, fonts.
// The variables that a template may set have names of their own.
var tokenName = regexp.MustCompile(`--crowd-[a-z]+(?:-[a-z]+)*`)

// public are the variables beginning like tokens that templates set.
var public = map[string]bool{"--crowd-slider-secondary-color": true}

// shortTokens gives the tokens names of one letter, the same in all scripts. It is a
// capital one, which nothing else in the styles has.
func shortTokens(files []file) {
	counts := map[string]int{}
	for _, f := range files {
		if filepath.Ext(f.name) != ".js" {
			continue
		}
		for _, name := range tokenName.FindAllString(string(f.bytes), -1) {
			counts[name]++
		}
	}
	var names []string
	for name := range counts {
		if !public[name] {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	short := map[string]string{}
	for i, name := range names {
		short[name] = "--" + string(rune('A'+i%26))
		if i >= 26 {
			short[name] += string(rune('A' + i/26 - 1))
		}
	}
	for i, f := range files {
		if filepath.Ext(f.name) != ".js" {
			continue
		}
		files[i].bytes = tokenName.ReplaceAllFunc(f.bytes, func(name []byte) []byte {
			if s, ok := short[string(name)]; ok {
				return []byte(s)
			}
			return name
		})
	}
}
