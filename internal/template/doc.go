// Package template renders worker task templates: Liquid over HTML, as Ground
// Truth's authors write it.
//
// A template is foreign code over foreign data. Rendering it is pure: it reads
// no file, no clock and no network, and asks the caller for media URLs only.
// Every run is bounded in source, output, loop rounds, nesting and time, and
// any failure comes back as a RenderError with its line: never as a panic and
// never as an empty page.
//
// # Dialect
//
// Standard Liquid with all its tags and filters; names may hold dashes, and
// anything in brackets may be an expression. A library renders it
// (github.com/osteele/liquid); what it reads differently is put right around it,
// see docs/decisions/0015-liquid.md. In Ground Truth's way:
//
//   - Autoescape for every {{ }}. What is already fit for its place is printed
//     as it is: the results of escape, escape_once, skip_autoescape, to_json
//     and grant_read_access, and the text of a capture block, whose parts were
//     escaped when they were captured.
//   - Arrays and objects print as JSON, members in the order of the input.
//     A loop over an object yields pairs: item[0] is the name, item[1] the value.
//   - to_json writes JSON that no script element and no single-quoted attribute
//     can be ended with (<, >, &, ' are written as \u escapes). A double-quoted
//     attribute needs "| to_json | escape", as Ground Truth's own samples write.
//   - grant_read_access turns s3://bucket/key, or an http(s) URL of a known S3
//     host, into a URL that the worker's browser may open.
//
// include and render do not exist: there is nothing to include from.
//
// # Why a media URL is printed raw
//
// A presigned URL holds '&' between its parameters. Escaped as &amp; it would
// work in an attribute but not in a CSS url() or a script string, so it is
// printed raw. That is sound in all three places only if the URL holds no
// quote, space, bracket, backslash or angle bracket and no run that HTML takes
// for a character reference; both are checked for every URL (see checkURL), and
// presigned URLs pass because everything outside the unreserved set is
// percent-encoded and every parameter is named X-Amz-….
package template

import (
	"context"
	"fmt"
	"time"
)

// Limits bound one rendering. A zero member takes the value of DefaultLimits.
type Limits struct {
	Source  int           // bytes of template
	Input   int           // bytes of input JSON
	Output  int           // bytes of rendered page
	Rounds  int           // loop rounds, all loops together
	Nesting int           // blocks within blocks; objects within objects of the input
	Work    int           // bytes that filters, prints and captures may handle, all together
	Grants  int           // different objects that may be granted
	Time    time.Duration // from start to end, grants included
}

// DefaultLimits are generous for a page that a person looks at. Ground Truth
// itself takes templates of up to 128,000 characters.
var DefaultLimits = Limits{
	Source: 1 << 20, Input: 8 << 20, Output: 16 << 20, Rounds: 200_000,
	Nesting: 100, Work: 64 << 20, Grants: 2000, Time: 5 * time.Second,
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Source, d.Source)
	set(&l.Input, d.Input)
	set(&l.Output, d.Output)
	set(&l.Rounds, d.Rounds)
	set(&l.Nesting, d.Nesting)
	set(&l.Work, d.Work)
	set(&l.Grants, d.Grants)
	if l.Time <= 0 {
		l.Time = d.Time
	}
	return l
}

// Functions is what a template may ask of its surroundings.
type Functions struct {
	// GrantReadAccess returns a URL for one object. It is asked once per object
	// and rendering. An error that is a *RenderError is passed on as it is;
	// of any other the fault's message is shown.
	GrantReadAccess func(ctx context.Context, bucket, key string) (url string, err error)
	// Hosts are further S3 hosts ("127.0.0.1:9000", "s3.example.org") whose
	// http(s) URLs are taken as objects: host/bucket/key and bucket.host/key.
	// Amazon's own host names always are.
	Hosts []string
	// Now is what the date filter takes for "now". Nil: "now" is an error.
	Now func() time.Time
}

// The classes of rendering errors. InvalidParameters is Ground Truth's own; the
// others are ours, since it documents no list.
const (
	CodeInvalidParameters = "InvalidParameters" // a filter was given what it cannot take
	CodeInvalidTemplate   = "InvalidTemplate"   // the template is not Liquid
	CodeRenderingFailed   = "RenderingFailed"   // it is, but cannot be rendered over this input
	CodeLimitExceeded     = "LimitExceeded"     // it asks for more than Limits allow
	CodeAccessDenied      = "AccessDenied"      // a media URL was refused
)

// RenderError is one thing wrong with a template or its input. Line and Column
// count from 1; 0 means that the place is not known.
type RenderError struct {
	Code    string
	Message string
	Line    int
	Column  int
}

func (e *RenderError) Error() string { return e.Code + ": " + e.Located() }

// Located is the message with its place at the end, "… (line 3, column 7)".
func (e *RenderError) Located() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s (line %d, column %d)", e.Message, e.Line, e.Column)
}
