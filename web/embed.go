// Package web carries the browser side of Fiducial as built bundles: the crowd
// elements that worker task templates use, the islands of the portal's pages,
// and their style sheet.
//
// The sources are TypeScript in web/src; `go run ./tools/webbuild` turns them
// into web/dist, which is committed, so that building the server needs no Node.
package web

import "embed"

// Dist holds dist/crowd-html-elements.js, dist/crowd-segmentation.js, dist/portal.js, dist/portal.css,
// dist/probe.js, dist/workbench.js, each packed beside it (.gz), and dist/licenses.txt.
//
//go:embed dist
var Dist embed.FS

// Gallery holds src/gallery: an example of every crowd element, and the pictures
// that they use.
//
//go:embed src/gallery
var Gallery embed.FS
