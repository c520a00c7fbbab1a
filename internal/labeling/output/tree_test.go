package output

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
)

// What pins the tree is the listing of a real job's bucket.
func TestTreeHasGroundTruthsKeys(t *testing.T) {
	at := time.Date(2019, 4, 18, 18, 13, 5, 999e6, time.FixedZone("", 2*3600))
	for _, path := range []string{"s3://bucket/out", "s3://bucket/out/"} {
		tree, err := NewTree(path, "birds")
		if err != nil {
			t.Fatal(err)
		}
		got := []string{
			tree.Bucket(), tree.Root(), tree.ToolData(), tree.ToolTemplate(),
			tree.WorkerResponse(1, "95", at), tree.ConsolidationRequest(2, at), tree.ConsolidationResponse(2, at),
			tree.Intermediate(3), tree.URI(tree.Manifest()),
		}
		want := []string{
			"bucket", "out/birds/", "out/birds/annotation-tool/data.json", "out/birds/annotation-tool/template.liquid",
			"out/birds/annotations/worker-response/iteration-1/95/2019-04-18_16:13:05.json",
			"out/birds/annotations/consolidated-annotation/consolidation-request/iteration-2/2019-04-18_16:13:05.json",
			"out/birds/annotations/consolidated-annotation/consolidation-response/iteration-2/2019-04-18_16:13:05.json",
			"out/birds/annotations/intermediate/3/annotations.manifest",
			"s3://bucket/out/birds/manifests/output/output.manifest",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestTreeInTheBucketsRoot(t *testing.T) {
	for _, path := range []string{"s3://bucket", "s3://bucket/"} {
		tree, err := NewTree(path, "birds")
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Manifest(); got != "birds/manifests/output/output.manifest" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestTreeRefusesWhatIsNoS3Path(t *testing.T) {
	for name, in := range map[string][2]string{
		"no scheme":        {"bucket/out", "birds"},
		"no bucket":        {"s3:///out", "birds"},
		"other scheme":     {"https://bucket/out", "birds"},
		"job with a slash": {"s3://bucket/out", "a/b"},
		"no job":           {"s3://bucket/out", ""},
	} {
		if _, err := NewTree(in[0], in[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
