// Package output builds every document that a labeling job leaves in its
// bucket, in the shapes and at the keys that Ground Truth's users already
// read with their own tools. It is pure: bytes in, bytes out. Who writes them
// where, and in what order, is the engine's business.
//
// The tree of one job, below the job's S3OutputPath:
//
//	<job>/annotation-tool/data.json                     label categories as the job used them
//	<job>/annotation-tool/template.liquid               worker task template as the job used it
//	<job>/annotations/worker-response/iteration-N/<object>/<time>.json
//	<job>/annotations/consolidated-annotation/consolidation-request/iteration-N/<time>.json
//	<job>/annotations/consolidated-annotation/consolidation-response/iteration-N/<time>.json
//	<job>/annotations/consolidated-annotation/output/<object>_<time>.png   semantic segmentation
//	<job>/annotations/intermediate/N/annotations.manifest
//	<job>/manifests/output/output.manifest
//
// An output manifest line is the input line with two members more: the label
// under the job's label attribute name, and "<name>-metadata". The input's
// bytes are never decoded and encoded again (see Splice), so numbers, key
// order and foreign labels come through untouched, and labelling jobs chain.
//
// What a worker answered is found whatever the template called its element
// (see ClassAnswer, LabelsAnswer, BoxAnswer, SegmentsAnswer, SpansAnswer); an answer that cannot be used
// is reported with a reason and leaves the other answers alone.
package output
