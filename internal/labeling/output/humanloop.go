package output

import (
	"encoding/json"
	"strings"
	"time"
)

// Review is a human loop that has its answers.
type Review struct {
	Source            string // AwsManagedHumanLoopRequestSource; "" for a custom task
	FlowDefinitionARN string
	HumanLoopName     string
	InputContent      json.RawMessage
	Answers           []Answer
}

// humanLoop has its members in the alphabetical order of the documented files.
type humanLoop struct {
	Source            string           `json:"awsManagedHumanLoopRequestSource,omitempty"`
	FlowDefinitionARN string           `json:"flowDefinitionArn"`
	HumanAnswers      []answerDocument `json:"humanAnswers"`
	HumanLoopName     string           `json:"humanLoopName"`
	InputContent      json.RawMessage  `json:"inputContent"`
}

// HumanLoop builds a human loop's output.json. Answers are in the order given, and
// the input is as it was sent, numbers and the order of members included.
func HumanLoop(r Review) ([]byte, error) {
	const op = "output.HumanLoop"
	answers, err := answerDocuments(op, r.Answers)
	if err != nil {
		return nil, err
	}
	return encode(op, humanLoop{r.Source, r.FlowDefinitionARN, answers, r.HumanLoopName, r.InputContent})
}

// HumanLoopURI is where the output of a human loop that was started at the instant
// goes: <S3OutputPath>/<flow definition>/YYYY/MM/DD/hh/mm/ss/<human loop>/output.json.
func HumanLoopURI(s3OutputPath, flow, loop string, started time.Time) string {
	return strings.TrimRight(s3OutputPath, "/") + "/" + flow + started.UTC().Format("/2006/01/02/15/04/05/") + loop + "/output.json"
}
