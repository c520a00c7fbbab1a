package labeling_test

import (
	"encoding/json"
	"strings"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// An object lacks what is to be audited, or its label cannot be shown rightly;
// either is said in words.
func TestPrior(t *testing.T) {
	const (
		boxes = `"b":{},"b-metadata":{"class-map":{"0":"cat","1":"dog"},"type":"groundtruth/object-detection"}`
		mask  = `"m-ref":"s3://out/m.png","m-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff"},"1":{"class-name":"cat","hex-color":"#2ACF59"}},"type":"groundtruth/semantic-segmentation"}`
		old   = `"m-ref":"s3://out/m.png","m-ref-metadata":{"internal-color-map":{"1":{"class-name":"cat"}},"type":"groundtruth/semantic-segmentation"}`
	)
	for _, c := range []struct {
		name, line, audit string
		t                 labeling.TaskType
		labels            []string
		attribute, lacks  string
		refused           string // at set-up
	}{
		{"boxes to mend", boxes, "", labeling.ObjectDetectionAdjustment, []string{"dog", "cat"}, "b", "", ""},
		{"a category that the job has not", boxes, "", labeling.ObjectDetectionAdjustment, []string{"dog"}, "b", "", `the label "b" has the category "cat", which the label category configuration lacks`},
		{"verdicts need none of them", boxes, "", labeling.ObjectDetectionVerification, []string{"good"}, "b", "", ""},
		{"another type", mask, "", labeling.ObjectDetectionVerification, []string{"good"}, "", "no label of type groundtruth/object-detection", ""},
		{"named", boxes + "," + mask, "b", labeling.ObjectDetectionVerification, []string{"good"}, "b", "", ""},
		{"named, not there", boxes, "c", labeling.ObjectDetectionVerification, []string{"good"}, "", `no label "c" of type`, ""},
		{"named, of another type", boxes + "," + mask, "m-ref", labeling.ObjectDetectionVerification, []string{"good"}, "", `no label "m-ref" of type`, ""},
		{"its own label is not audited", `"own":{},"own-metadata":{"type":"groundtruth/object-detection"}`, "", labeling.ObjectDetectionAdjustment, nil, "", "no label of type", ""},
		{"an object that failed before", `"b-metadata":{"failure-reason":"x","type":"groundtruth/object-detection"}`, "", labeling.ObjectDetectionAdjustment, nil, "", "no label of type", ""},
		{"segments", mask, "", labeling.SemanticSegmentationAdjustment, []string{"cat"}, "m-ref", "", ""},
		{"segments without colours", old, "", labeling.SemanticSegmentationVerification, []string{"good"}, "m-ref", "", `has no hex-color (#rrggbb) for the category "cat"`},
		{"segments without a map", `"m":"s3://out/m.png","m-metadata":{"type":"groundtruth/semantic-segmentation"}`, "", labeling.SemanticSegmentationVerification, nil, "m", "", "has no internal-color-map"},
		{"segments that are no file", strings.Replace(mask, `"s3://out/m.png"`, `"m.png"`, 1), "", labeling.SemanticSegmentationVerification, nil, "m-ref", "", "is not the S3 URI of a picture of segments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &labeling.Job{TaskType: c.t, LabelAttributeName: "own", AuditLabelAttributeName: c.audit}
			for _, l := range c.labels {
				j.Labels = append(j.Labels, labeling.Label{Name: l})
			}
			p, err := j.Prior(json.RawMessage(`{"source-ref":"s3://b/k",` + c.line + `}`))
			if c.lacks != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.lacks) {
					t.Errorf("got %+v, %v; want %q", p, err, c.lacks)
				}
				return
			}
			if err != nil || p.Attribute != c.attribute {
				t.Fatalf("got %+v, %v", p, err)
			}
			if err := j.CheckPrior(p); (err == nil) != (c.refused == "") || err != nil && !strings.Contains(fault.MessageOf(err), c.refused) {
				t.Errorf("got %v, want %q", err, c.refused)
			}
		})
	}
}
