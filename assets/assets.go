// Package assets holds files that the binary carries along and that are not
// its code: the demo's photographs. Who made them and under which licences
// they are here stands in photos/CREDITS.md, which is embedded with them.
package assets

import "embed"

// Photos has photos/*.jpg and photos/CREDITS.md.
//
//go:embed photos/*
var Photos embed.FS
