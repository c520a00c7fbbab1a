package labeling

import (
	"strings"

	"fiducial/internal/arn"
)

// Members that make a labeling job a streaming one.
const (
	memberInputTopic  = "InputConfig.DataSource.SnsDataSource.SnsTopicArn"
	memberOutputTopic = "OutputConfig.SnsTopicArn"
)

// checkTopics checks the topics of a streaming labeling job. Whether they are there
// and may be used is seen when the job starts.
func checkTopics(s *Spec) error {
	const op = "labeling.NewJob"
	if s.InputSNSTopicARN == "" && s.OutputSNSTopicARN != "" {
		return invalid(op, memberOutputTopic, "is for streaming labeling jobs; give their input topic in "+memberInputTopic)
	}
	for _, t := range []struct{ member, arn string }{{memberInputTopic, s.InputSNSTopicARN}, {memberOutputTopic, s.OutputSNSTopicARN}} {
		if t.arn == "" {
			continue
		}
		a, err := arn.Parse(t.arn)
		if err != nil || a.Service != "sns" || a.Resource == "" || strings.Contains(a.Resource, ":") {
			return invalid(op, t.member, "must be the ARN of a topic (arn:aws:sns:REGION:ACCOUNT:NAME), not %s", Quote(t.arn))
		}
		if a.Region != s.Region {
			return invalid(op, t.member, "must be a topic of the labeling job's region, %s", s.Region)
		}
		if strings.HasSuffix(a.Resource, ".fifo") {
			return invalid(op, t.member, "FIFO topics are not supported")
		}
	}
	if s.InputSNSTopicARN != "" && s.InputSNSTopicARN == s.OutputSNSTopicARN {
		return invalid(op, memberOutputTopic, "must be another topic than the input topic: every label would come back as a data object")
	}
	return nil
}

// streaming makes a job with an input topic live. It has no stopping conditions,
// whatever was asked for: Ground Truth ignores them there.
func streaming(s *Spec, j *Job) {
	if s.InputSNSTopicARN == "" {
		return
	}
	j.Stopping = StoppingConditions{}
	j.Live = &Live{InputTopicARN: s.InputSNSTopicARN, OutputTopicARN: s.OutputSNSTopicARN, IdleAfter: StreamingIdleAfter, UnsentAfter: StreamingUnsentAfter}
}
