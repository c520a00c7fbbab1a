// Package consolidate makes one label of several workers' answers. All of it
// is pure: numbers in, numbers out, the same result for the same answers in
// the same order, no matter how often it is asked.
//
// Each family of tasks has a package below this one:
//
//	classes  one category per item, or any number of them; what is known of workers; agreement
//	boxes    boxes on an image
//	shapes   polygons, polylines and keypoints on an image
//	masks    a class for every pixel, or instances of classes
//	spans    labelled spans of a text
//	texts    free text
//	table    the CSV files that the command line reads and writes
//
// This package has what several of them need: numbers for names, and the
// matching of what different workers drew around one object.
//
// Answers that are missing or garbage are as if they had not been given; an
// item with none has no label. What one worker alone answered passes through,
// at confidence 0: nothing is known of how good it is, and Ground Truth writes
// 0 as well.
//
// Methods, numbers, and what a confidence means are in docs/consolidation.md.
package consolidate
