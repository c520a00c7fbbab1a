package quality

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

func job() *labeling.Job {
	return &labeling.Job{TaskType: labeling.TextClassification, LabelAttributeName: "mood", ManifestURI: "s3://input/all.manifest", Human: labeling.HumanTask{Workers: 5}}
}

const whole1 = `{"Version":"2026-11-01",
	"Gold":{"ManifestS3Uri":"s3://input/gold.manifest","OneTaskIn":4,"AcceptTells":["Order"]},
	"Overlap":{"MinWorkers":2,"MinAgreement":0.9},
	"Rules":[
		{"Name":"spammers","Collector":"GoldAccuracy","Window":10,"MinCount":4,"Below":0.6,"Actions":[{"Type":"ExcludeWorker"},{"Type":"RequeueAnswers"}]},
		{"Name":"hasty","Collector":"AnswerSeconds","Below":1.5,"Actions":[{"Type":"AnotherOpinion"}]},
		{"Name":"skips","Collector":"SkipsInARow","AtLeast":5,"Actions":[{"Type":"PauseWorker","Seconds":600},{"Type":"Notify"}]}]}`

func TestParse(t *testing.T) {
	q, err := Parse([]byte(whole1), job())
	if err != nil {
		t.Fatal(err)
	}
	p := func(x float64) *float64 { return &x }
	want := &labeling.Quality{
		Gold:    &labeling.Gold{ManifestS3Uri: "s3://input/gold.manifest", LabelAttributeName: "mood", OneTaskIn: 4, MinScore: 1, AcceptTells: []string{"Order"}},
		Overlap: &labeling.Overlap{MinWorkers: 2, MinAgreement: 0.9},
		Rules: []labeling.QualityRule{
			{Name: "spammers", Collector: labeling.GoldAccuracy, Window: 10, MinCount: 4, Below: p(0.6), Actions: []labeling.QualityAction{{Type: labeling.ExcludeWorker}, {Type: labeling.RequeueAnswers}}},
			{Name: "hasty", Collector: labeling.AnswerSeconds, Below: p(1.5), Actions: []labeling.QualityAction{{Type: labeling.AnotherOpinion}}},
			{Name: "skips", Collector: labeling.SkipsInARow, AtLeast: p(5), Actions: []labeling.QualityAction{{Type: labeling.PauseWorker, Seconds: 600}, {Type: labeling.Notify}}},
		},
	}
	if d := cmp.Diff(want, q); d != "" {
		t.Error(d)
	}
}

// Every refusal names the member and says what was expected.
func TestParseRefuses(t *testing.T) {
	rule := func(s string) string { return `{"Version":"2026-11-01","Rules":[` + s + `]}` }
	gold := func(s string) string { return `{"Version":"2026-11-01","Gold":{` + s + `}}` }
	overlap := func(s string) string { return `{"Version":"2026-11-01","Overlap":{` + s + `}}` }
	for _, c := range []struct{ doc, want string }{
		{``, "expected a JSON object with Version, Gold, Overlap, Rules"},
		{`[]`, "expected a JSON object"},
		{`null`, "expected a JSON object"},
		{"{\"Version\":\"\xff\"}", "not UTF-8"},
		{strings.Repeat(" ", MaxDocument+1), "longer than 65536 bytes"},
		{`{}`, `Version: expected "2026-11-01"`},
		{`{"Version":"2026-11-01"}`, "expected at least one of Gold, Overlap and Rules"},
		{`{"Version":"2026-11-01","rules":[]}`, "rules: there is no such member; expected Version, Gold, Overlap, Rules"},
		{gold(`"ManifestS3Uri":"gold"`), "Gold.ManifestS3Uri: "},
		{gold(`"ManifestS3Uri":7`), "Gold.ManifestS3Uri: expected a string"},
		{gold(``), "Gold.ManifestS3Uri: is missing"},
		{gold(`"ManifestS3Uri":"s3://input/all.manifest"`), "Gold.ManifestS3Uri: it is the job's input manifest"},
		{gold(`"ManifestS3Uri":"s3://input/g","OneTaskIn":1`), "Gold.OneTaskIn: expected a whole number from 2 to 1000"},
		{gold(`"ManifestS3Uri":"s3://input/g","OneTaskIn":2.5`), "Gold.OneTaskIn: expected a whole number"},
		{gold(`"ManifestS3Uri":"s3://input/g","MinScore":1.1`), "Gold.MinScore: expected a number from 0 to 1"},
		{gold(`"ManifestS3Uri":"s3://input/g","AcceptTells":["Smell"]`), "Gold.AcceptTells[0]: expected one of Members, Folder"},
		{gold(`"ManifestS3Uri":"s3://input/g","AcceptTells":"Order"`), "Gold.AcceptTells: expected a list"},
		{`{"Version":"2026-11-01","Gold":null}`, "Gold: expected an object"},
		{overlap(`"MinAgreement":0.9`), "Overlap.MinWorkers: is missing"},
		{overlap(`"MinWorkers":5,"MinAgreement":0.9`), "Overlap.MinWorkers: expected a whole number from 1 to 4 (NumberOfHumanWorkersPerDataObject is 5)"},
		{overlap(`"MinWorkers":2`), "Overlap.MinAgreement: is missing"},
		{overlap(`"MinWorkers":2,"MinAgreement":"high"`), "Overlap.MinAgreement: expected a number from 0 to 1"},
		{`{"Version":"2026-11-01","Rules":{}}`, "Rules: expected a list of 1 to 20 rules"},
		{rule(`{}`), "Rules[0].Name: is missing"},
		{rule(`{"Name":"a","Collector":"Mood"}`), `Rules[0].Collector: expected one of GoldAccuracy`},
		{rule(`{"Name":"a","Collector":"GoldAccuracy","Below":1}`), "Rules[0].Collector: GoldAccuracy needs Gold"},
		{rule(`{"Name":"a","Collector":"Agreement"}`), "Rules[0].Below: is missing"},
		{rule(`{"Name":"a","Collector":"Agreement","AtLeast":2}`), "Rules[0].AtLeast: Agreement is compared by Below"},
		{rule(`{"Name":"a","Collector":"SkipsInARow","Below":2}`), "Rules[0].Below: SkipsInARow is compared by AtLeast"},
		{rule(`{"Name":"a","Collector":"SkipsInARow","AtLeast":1}`), "Rules[0].AtLeast: expected a whole number from 2"},
		{rule(`{"Name":"a","Collector":"MedianSeconds","Below":-1}`), "Rules[0].Below: expected a number from 0"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Window":201}`), "Rules[0].Window: expected a whole number from 1 to 200"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Window":5,"MinCount":6}`), "Rules[0].MinCount: expected a whole number from 1 to 5"},
		{rule(`{"Name":"a","Collector":"AnswerSeconds","Below":1,"Window":5}`), "Rules[0].Window: AnswerSeconds has none"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[]}`), "Rules[0].Actions: expected a list of 1 to 5 actions"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"Fire"}]}`), "Rules[0].Actions[0].Type: expected one of PauseWorker"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"AdmitWorker"}]}`), "Rules[0].Actions[0].Type: expected one of PauseWorker"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"PauseWorker"}]}`), "Rules[0].Actions[0].Seconds: PauseWorker needs it"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"PauseWorker","Seconds":0}]}`), "Rules[0].Actions[0].Seconds: expected a whole number from 1"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"Notify","Seconds":9}]}`), "Rules[0].Actions[0].Seconds: PauseWorker needs it, and nothing else"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"Notify"},{"Type":"Notify"}]}`), "Rules[0].Actions[1].Type: Notify is there twice"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"AnotherOpinion"}]}`), "AnotherOpinion needs Overlap"},
		{rule(`{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"Notify"}]},{"Name":"a","Collector":"Agreement","Below":0.5,"Actions":[{"Type":"Notify"}]}`), `Rules[1].Name: there are two rules named`},
	} {
		_, err := Parse([]byte(c.doc), job())
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.want) {
			t.Errorf("%.200s\n got %v\nwant %s", c.doc, err, c.want)
		}
	}
	own := job()
	own.Input = labeling.FunctionInput
	if _, err := Parse([]byte(gold(`"ManifestS3Uri":"s3://input/g"`)), own); err == nil || !strings.Contains(err.Error(), "pre-annotation function of its own") {
		t.Errorf("a function of its own: %v", err)
	}
	one := job()
	one.Human.Workers = 1
	if _, err := Parse([]byte(overlap(`"MinWorkers":1,"MinAgreement":0.9`)), one); err == nil || !strings.Contains(err.Error(), "no other worker can be asked") {
		t.Errorf("one worker an object: %v", err)
	}
}

// Whatever it is given, Parse answers with a configuration that Judge can
// work with, or with an Invalid fault.
func FuzzParse(f *testing.F) {
	for _, s := range []string{whole1, `{}`, `{"Version":"2026-11-01","Rules":[{"Name":"a","Collector":"SameAnswersInARow","AtLeast":3,"Actions":[{"Type":"Notify"}]}]}`, `{"Version":"2026-11-01","Gold":{"ManifestS3Uri":"s3://a/b","OneTaskIn":1e3}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		q, err := Parse(doc, job())
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		s := &State{}
		for i := range int64(30) {
			for _, k := range []FactKind{Answered, Skipped, Compared} {
				Judge(q.Rules, s, Fact{Kind: k, Worker: "w", Index: i%3 - 1})
			}
		}
	})
}
