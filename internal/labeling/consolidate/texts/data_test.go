package texts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fiducial/internal/labeling/consolidate/crowdtest"
)

// Translations by crowds, with an expert's: the chosen one is nearer to it than
// the first, by GLEU.
func TestTextsOnCrowdSets(t *testing.T) {
	dir := crowdtest.Folder(t)
	for _, set := range []string{"J1", "T1", "T2"} {
		answers, gold := map[string][]string{}, map[string]string{}
		prefix := filepath.Join(dir, "wsa", "CrowdWSA2019_"+set)
		for _, r := range rows(t, prefix+"_label_anonymous.tsv") {
			answers[r[1]] = append(answers[r[1]], r[2])
		}
		for _, r := range rows(t, prefix+"_gt.tsv") {
			gold[r[0]] = r[1]
		}
		first, chosen, n := 0.0, 0.0, 0.0
		for item, want := range gold {
			if len(answers[item]) == 0 {
				continue
			}
			if c := Consolidate(answers[item]); c.Index != None {
				first += newProfile(answers[item][0]).similarity(newProfile(want))
				chosen += newProfile(answers[item][c.Index]).similarity(newProfile(want))
				n++
			}
		}
		t.Logf("%s: %.0f texts, GLEU of the first answer %.3f, of the chosen one %.3f", set, n, first/n, chosen/n)
		if n < 100 || chosen < first+0.02*n {
			t.Errorf("%s: %.0f texts, first %.3f, chosen %.3f", set, n, first/n, chosen/n)
		}
	}
}

func rows(t *testing.T, name string) (out [][]string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.ReplaceAll(string(b), "\r", ""), "\n")[1:] {
		if r := strings.Split(line, "\t"); len(r) > 1 {
			out = append(out, r)
		}
	}
	return out
}
