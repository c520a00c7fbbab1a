package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"fiducial/internal/labeling"
)

// The services that can start loops by themselves at AWS.
const (
	Rekognition = "AWS/Rekognition/DetectModerationLabels/Image/V3"
	Textract    = "AWS/Textract/AnalyzeDocument/Forms/V1"
)

// conditionTypes are the types of conditions that go with each source.
var conditionTypes = map[string][]string{
	Rekognition: {"ModerationLabelConfidenceCheck", "Sampling"},
	Textract:    {"ImportantFormKeyConfidenceCheck", "MissingImportantFormKey", "Sampling"},
}

const memberConditions = "HumanLoopActivationConfig.HumanLoopActivationConditionsConfig.HumanLoopActivationConditions"

// maxNesting is how deep And and Or go.
const maxNesting = 2

// CheckConditions reports whether doc is a document of activation conditions for the
// source, by the JSON schema that AWS publishes. Nothing here evaluates them: they
// are for answers of services that are not here.
func CheckConditions(doc, source string) error {
	const op = "review.CheckConditions"
	types, ok := conditionTypes[source]
	if !ok {
		return invalid(op, "HumanLoopActivationConfig", "activation conditions are for Rekognition and Textract: give HumanLoopRequestSource too, or leave the conditions out")
	}
	var top struct {
		Conditions []json.RawMessage `json:"Conditions"`
	}
	if err := strictly([]byte(doc), &top); err != nil {
		return invalid(op, memberConditions, `it is not JSON of the form {"Conditions": […]}: %v`, err)
	}
	if top.Conditions == nil {
		return invalid(op, memberConditions, "Conditions is required: a list of conditions")
	}
	for i, c := range top.Conditions {
		if err := condition(c, types, fmt.Sprintf("Conditions[%d]", i), 0); err != nil {
			return invalid(op, memberConditions, "%v", err)
		}
	}
	return nil
}

func condition(doc json.RawMessage, types []string, at string, depth int) error {
	var c struct {
		ConditionType       *string                    `json:"ConditionType"`
		ConditionParameters map[string]json.RawMessage `json:"ConditionParameters"`
		And                 []json.RawMessage          `json:"And"`
		Or                  []json.RawMessage          `json:"Or"`
	}
	if err := strictly(doc, &c); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	list, name := c.And, "And"
	if c.Or != nil {
		list, name = c.Or, "Or"
	}
	switch {
	case c.ConditionType != nil && (c.And != nil || c.Or != nil), c.And != nil && c.Or != nil:
		return fmt.Errorf("%s: give one of ConditionType, And and Or", at)
	case c.ConditionType != nil:
		if !slices.Contains(types, *c.ConditionType) {
			return fmt.Errorf("%s.ConditionType: %s is none of %s", at, labeling.Quote(*c.ConditionType), strings.Join(types, ", "))
		}
		return nil
	case list == nil:
		return fmt.Errorf("%s: ConditionType, And or Or is required", at)
	case len(list) < 2:
		return fmt.Errorf("%s.%s: at least 2 conditions are required, not %d", at, name, len(list))
	case depth == maxNesting:
		return fmt.Errorf("%s.%s: And and Or nest at most %d levels deep", at, name, maxNesting)
	}
	for i, e := range list {
		if err := condition(e, types, fmt.Sprintf("%s.%s[%d]", at, name, i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// strictly reads one JSON value and no unknown members.
func strictly(doc []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after its end")
	}
	return nil
}
