package console

import (
	"net/url"
	"slices"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// qualityReport is what GetLabelingJobQuality says, or why it says nothing.
type qualityReport struct {
	Refused            string
	Answers, Discarded int
	Workers            []struct {
		WorkerId, Status, Until  string
		Answers, Skips, Compared int
		Agreement, MedianSeconds float64
		Gold                     *struct {
			Right, Asked int
			Low, High    float64
		}
	}
	Gold []struct {
		Line, Right, Asked int
		Source             string
	}
	Actions []struct{ Time, Action, WorkerId, ObjectId, Rule, By, Detail string }
}

// quality adds what quality control knows of a job that has it.
func (s *Console) quality(v *visit, p *jobPage) error {
	if !slices.ContainsFunc(p.Job.Tags, func(t struct{ Key, Value string }) bool { return t.Key == labeling.QualityTag }) {
		return nil
	}
	q := &qualityReport{}
	err := s.ask(v, "fiducial", "GetLabelingJobQuality", map[string]string{"LabelingJobName": p.Job.LabelingJobName}, q)
	if err != nil && fault.KindOf(err) == fault.Internal {
		return err
	}
	if err != nil {
		q = &qualityReport{Refused: fault.MessageOf(err)}
	}
	p.Quality = q
	return nil
}

// admit lets a worker work on a job again.
func (s *Console) admit(v *visit) (reply, error) {
	job := v.PathValue("job")
	in := map[string]string{"LabelingJobName": job, "Worker": trimmed(v.PostForm.Get("worker")), "Reason": trimmed(v.PostForm.Get("reason"))}
	if err := s.ask(v, "fiducial", "AdmitWorker", in, nil); err != nil {
		return nil, notFound(err)
	}
	return redirect{"/console/jobs/" + url.PathEscape(job) + "#quality"}, nil
}
