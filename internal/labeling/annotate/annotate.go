// Package annotate makes the labels of a job's objects from what workers
// answered: it reads the answers (package output), has them consolidated
// (package consolidate) and builds labels and metadata (package output again).
//
// A Set takes any number of objects: the engine's batch of fifty, or all of a
// finished job, so that what is known of a worker comes from all they did. It
// keeps what consolidation needs of an answer, not the answer.
package annotate

import (
	"strings"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/output"
)

// Result is what an object gets, and why it has no label if it has none.
type Result struct {
	output.Annotation
	Failure string
	// Picture is the file that the label names, which must be there before it.
	Picture *Picture
}

// Picture is an object of the job's output tree.
type Picture struct {
	Key string
	PNG []byte
}

// Options say of what a Set makes which labels.
type Options struct {
	TaskType labeling.TaskType
	Labels   []labeling.Label
	Method   classes.Method // of classifications and entities; others have one of their own
	Tree     output.Tree    // where pictures belong
}

// Set collects the answers to objects, which it numbers from 0.
type Set struct {
	taskType labeling.TaskType
	objects  int
	family   family
}

// family is a way to make labels of answers.
type family interface {
	// add takes the next object with its answers. It keeps neither.
	add(o labeling.Answered)
	// annotate makes the label of every object, in their order. A Result with
	// a Failure needs nothing else.
	annotate(s output.Stamp, fn func(Result) error) error
}

// New makes a set.
func New(o Options) *Set {
	names := make([]string, len(o.Labels))
	for i, l := range o.Labels {
		names[i] = l.Name
	}
	c := output.NewCategories(names)
	s := &Set{taskType: o.TaskType}
	switch t := o.TaskType; t {
	case labeling.ImageClassification, labeling.TextClassification, labeling.VideoClassification:
		s.family = &single{categories: c, method: o.Method, label: func(s output.Stamp, chosen output.Category, _ int) (output.Annotation, error) {
			return output.Classification(t, s, chosen)
		}}
	case labeling.ObjectDetectionVerification, labeling.SemanticSegmentationVerification:
		s.family = newVerdicts(t, c, o.Method)
	case labeling.ImageClassificationMultiLabel, labeling.TextClassificationMultiLabel:
		s.family = &multiple{taskType: t, categories: c, method: o.Method}
	case labeling.ObjectDetection, labeling.ObjectDetectionAdjustment:
		s.family = &detection{categories: c, adjusts: t.Adjusts()}
	case labeling.SemanticSegmentation, labeling.SemanticSegmentationAdjustment:
		s.family = &segmentation{taskType: t, categories: c, tree: o.Tree}
	case labeling.NamedEntityRecognition:
		s.family = &entities{labels: o.Labels, categories: c, method: o.Method}
	default:
		s.family = &raw{}
	}
	return s
}

// Add takes the next object with its answers and returns its number.
func (s *Set) Add(o labeling.Answered) int {
	s.family.add(o)
	s.objects++
	return s.objects - 1
}

// Annotate calls fn with the result of every object, in the order in which they
// were added.
func (s *Set) Annotate(stamp output.Stamp, fn func(i int, r Result) error) error {
	i := 0
	return s.family.annotate(stamp, func(r Result) error {
		if r.Failure != "" {
			var err error
			if r, err = Failed(s.taskType, stamp, r.Failure); err != nil {
				return err
			}
		}
		i++
		return fn(i-1, r)
	})
}

// Failed is the result of an object without a label.
func Failed(t labeling.TaskType, s output.Stamp, reason string) (Result, error) {
	a, err := output.Failed(t, s, reason)
	return Result{Annotation: a, Failure: reason}, err
}

// useless says why none of an object's answers was of use.
func useless(reasons []string) string {
	return "No worker's answer could be used: " + strings.Join(reasons, "; ") + "."
}

// raw keeps the answers of a custom task as they are.
type raw struct{ answers [][]labeling.Answer }

func (f *raw) add(o labeling.Answered) { f.answers = append(f.answers, o.Answers) }

func (f *raw) annotate(s output.Stamp, fn func(Result) error) error {
	for _, answers := range f.answers {
		a, err := output.PassThrough(s, Answers(answers))
		if err != nil {
			return err
		}
		if err := fn(Result{Annotation: a}); err != nil {
			return err
		}
	}
	return nil
}

// Answers are answers as the files of a job show them.
func Answers(in []labeling.Answer) []output.Answer {
	out := make([]output.Answer, len(in))
	for i, a := range in {
		out[i] = output.Answer{WorkerID: a.Worker, Content: a.Content, Accepted: a.AcceptedAt,
			Submitted: a.SubmittedAt, Spent: a.SubmittedAt.Sub(a.AcceptedAt)}
	}
	return out
}
