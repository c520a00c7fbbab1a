package review

import (
	"strings"
	"testing"

	"fiducial/internal/fault"
)

func TestConditions(t *testing.T) {
	const (
		label    = `{"ConditionType":"ModerationLabelConfidenceCheck","ConditionParameters":{"ModerationLabelName":"*","ConfidenceLessThan":60}}`
		sampling = `{"ConditionType":"Sampling","ConditionParameters":{"RandomSamplingPercentage":5}}`
		form     = `{"ConditionType":"MissingImportantFormKey","ConditionParameters":{"ImportantFormKey":"Pay Date","ImportantFormKeyAliases":["PayDate"]}}`
	)
	for _, c := range []struct{ name, source, doc, want string }{
		{"none", Rekognition, `{"Conditions":[]}`, ""},
		{"simple", Rekognition, `{"Conditions":[` + label + `,` + sampling + `]}`, ""},
		{"nested", Textract, `{"Conditions":[{"Or":[` + form + `,{"And":[` + form + `,` + sampling + `]}]}]}`, ""},
		{"no parameters", Textract, `{"Conditions":[{"ConditionType":"Sampling"}]}`, ""},
		{"no source", "", `{"Conditions":[]}`, "HumanLoopRequestSource"},
		{"not JSON", Textract, `{"Conditions":[}`, "not JSON"},
		{"the guide's own slip, a missing comma", Textract, `{"Conditions":[{"ConditionType":"Sampling" "ConditionParameters":{}}]}`, "not JSON"},
		{"text behind", Textract, `{"Conditions":[]} x`, "after its end"},
		{"no conditions", Textract, `{}`, "Conditions is required"},
		{"other members", Textract, `{"Conditions":[],"x":1}`, "unknown field"},
		{"another service's", Textract, `{"Conditions":[` + label + `]}`, `Conditions[0].ConditionType: "ModerationLabelConfidenceCheck" is none of`},
		{"nothing in it", Textract, `{"Conditions":[{}]}`, "Conditions[0]: ConditionType, And or Or is required"},
		{"one of Or", Textract, `{"Conditions":[{"Or":[` + form + `]}]}`, "Conditions[0].Or: at least 2"},
		{"And and Or", Textract, `{"Conditions":[{"Or":[` + form + `,` + form + `],"And":[` + form + `,` + form + `]}]}`, "give one of"},
		{"three levels", Textract, `{"Conditions":[{"Or":[` + form + `,{"And":[` + form + `,{"Or":[` + form + `,` + form + `]}]}]}]}`, "at most 2 levels"},
		{"parameters are no object", Textract, `{"Conditions":[{"ConditionType":"Sampling","ConditionParameters":5}]}`, "cannot unmarshal"},
	} {
		err := CheckConditions(c.doc, c.source)
		if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Documents of activation conditions come from outside: whatever they are, the answer
// is a fault of the requester's or none, and what is accepted is accepted again.
func FuzzConditions(f *testing.F) {
	f.Add(`{"Conditions":[{"ConditionType":"Sampling","ConditionParameters":{"RandomSamplingPercentage":5}}]}`, Textract)
	f.Add(`{"Conditions":[{"Or":[{"ConditionType":"Sampling"},{"And":[{"ConditionType":"Sampling"},{"ConditionType":"Sampling"}]}]}]}`, Rekognition)
	f.Add(strings.Repeat(`{"Conditions":[{"Or":[`, 50), Rekognition)
	f.Add(`null`, "")
	f.Fuzz(func(t *testing.T, doc, source string) {
		err := CheckConditions(doc, source)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
		if again := CheckConditions(doc, source); (again == nil) != (err == nil) {
			t.Errorf("%v, then %v", err, again)
		}
	})
}
