// Package exchange moves labels between augmented manifests and the formats in
// which others keep them.
//
// A Record is one line of a manifest with one of its labels understood: what
// the label says, and what its metadata says about its making. A child package
// for each format writes records (a Writer) or reads them (an iterator), and
// neither knows of the others: COCO to YOLO is COCO to a manifest to YOLO.
//
// Three rules hold for every format:
//
//   - Nothing is dropped silently. A kind of label that a format cannot hold is
//     refused, by name. What it can hold only in part is told in Notes.
//   - Memory does not grow with the number of lines. Where a format wants its
//     parts in another order than they come, they wait in a temporary file.
//   - Input is foreign: lines, elements, depth, coordinates and names are bounded
//     before anything is made of them, and no name leads out of the folder that
//     is written (Names, Files).
//
// Coordinates in a record are pixels from the top left corner of the picture;
// offsets in a text are Unicode code points, ends exclusive. docs/exchange.md
// has the conventions of the formats.
package exchange
