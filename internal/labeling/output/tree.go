package output

import (
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// keyTime is how Ground Truth writes an instant into a key: UTC, whole
// seconds, colons and all.
const keyTime = "2006-01-02_15:04:05"

// Tree knows the key of every file of one labeling job. All of them are in
// one bucket, the one that S3OutputPath names.
type Tree struct {
	bucket string
	root   string // key prefix, ends in a slash
}

// NewTree makes the tree of job below s3OutputPath (s3://bucket/prefix, with
// or without a slash at its end).
func NewTree(s3OutputPath, job string) (Tree, error) {
	const op = "output.NewTree"
	rest, ok := strings.CutPrefix(s3OutputPath, "s3://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return Tree{}, fault.Newf(op, fault.Invalid, "S3OutputPath must be of the form s3://bucket/prefix, got %q", s3OutputPath)
	}
	if job == "" || strings.Contains(job, "/") {
		return Tree{}, fault.Newf(op, fault.Invalid, "labeling job name %q cannot be part of an output path", job)
	}
	prefix = strings.TrimRight(prefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	return Tree{bucket: bucket, root: prefix + job + "/"}, nil
}

// Bucket is the bucket of every key of the tree.
func (t Tree) Bucket() string { return t.bucket }

// Root is the key prefix of the whole tree; it ends in a slash.
func (t Tree) Root() string { return t.root }

// URI is the s3:// form of a key of the tree.
func (t Tree) URI(key string) string { return "s3://" + t.bucket + "/" + key }

// ToolData is the key of the copy of the label category configuration.
func (t Tree) ToolData() string { return t.root + "annotation-tool/data.json" }

// ToolTemplate is the key of the copy of the worker task template.
func (t Tree) ToolTemplate() string { return t.root + "annotation-tool/template.liquid" }

// WorkerResponse is the key of the answers to one data object. Iterations
// count from 1; objectID is the object's position in the manifest.
func (t Tree) WorkerResponse(iteration int, objectID string, at time.Time) string {
	return t.root + "annotations/worker-response/" + iterationDir(iteration) + objectID + "/" + at.UTC().Format(keyTime) + ".json"
}

// ConsolidationRequests is the key prefix of what every batch's consolidation
// was asked.
func (t Tree) ConsolidationRequests() string {
	return t.root + "annotations/consolidated-annotation/consolidation-request/"
}

// ConsolidationRequest is the key of what one batch's consolidation was asked.
func (t Tree) ConsolidationRequest(iteration int, at time.Time) string {
	return t.ConsolidationRequests() + iterationDir(iteration) + at.UTC().Format(keyTime) + ".json"
}

// ConsolidationResponse is the key of what that consolidation answered.
func (t Tree) ConsolidationResponse(iteration int, at time.Time) string {
	return t.root + "annotations/consolidated-annotation/consolidation-response/" + iterationDir(iteration) + at.UTC().Format(keyTime) + ".json"
}

// Segments is the key of the indexed PNG that is the label of a data object. Its
// time is written as label metadata has it.
func (t Tree) Segments(objectID string, at time.Time) string {
	return t.root + "annotations/consolidated-annotation/output/" + objectID + "_" + at.UTC().Format(creationTime) + ".png"
}

// Intermediate is the key of the manifest of what is labeled after the given
// iteration.
func (t Tree) Intermediate(iteration int) string {
	return t.root + "annotations/intermediate/" + strconv.Itoa(iteration) + "/annotations.manifest"
}

// Manifest is the key of the output manifest: the last file of the tree to
// appear, and what OutputDatasetS3Uri points at.
func (t Tree) Manifest() string { return t.root + "manifests/output/output.manifest" }

// QualityReport is the key of what quality control found out about workers.
// Ground Truth has no such file.
func (t Tree) QualityReport() string { return t.root + "quality/report.json" }

func iterationDir(n int) string { return "iteration-" + strconv.Itoa(n) + "/" }
