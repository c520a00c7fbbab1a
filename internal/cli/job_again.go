package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/annotate"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/output"
)

// again makes the labels of a job again from the files it has left.
type again struct {
	client *client
	method classes.Method
	now    time.Time

	job      describedJob
	manifest labeling.S3URI
	tree     output.Tree
	taskType labeling.TaskType
	set      *annotate.Set
	labels   []labeling.Label
	numbers  map[string]int // datasetObjectId -> number among the results
	results  []annotate.Result
	uris     map[int]string // of labels that are files, by line

	same, changed, failed int
}

// describedJob is what is needed of DescribeLabelingJob's answer.
type describedJob struct {
	LabelingJobName    string
	LabelingJobStatus  string
	LabelAttributeName string
	OutputConfig       struct{ S3OutputPath string }
	HumanTaskConfig    struct {
		AnnotationConsolidationConfig struct{ AnnotationConsolidationLambdaArn string }
	}
	LabelingJobOutput struct{ OutputDatasetS3Uri string }
}

// read reads the job and its answers, and consolidates them.
func (a *again) read(ctx context.Context, name string) (err error) {
	if err := a.client.json(ctx, "sagemaker", "SageMaker.DescribeLabelingJob", map[string]string{"LabelingJobName": name}, &a.job); err != nil {
		return err
	}
	if a.job.LabelingJobOutput.OutputDatasetS3Uri == "" {
		return fmt.Errorf("the labeling job %s is %s and has no output manifest: only a job that has ended can be consolidated again", a.job.LabelingJobName, a.job.LabelingJobStatus)
	}
	if a.manifest, err = labeling.ParseS3Object(a.job.LabelingJobOutput.OutputDatasetS3Uri); err != nil {
		return err
	}
	if a.tree, err = output.NewTree(a.job.OutputConfig.S3OutputPath, a.job.LabelingJobName); err != nil {
		return err
	}
	if err := a.begin(ctx); err != nil {
		return err
	}
	if err := a.readAnswers(ctx); err != nil {
		return err
	}
	if a.set == nil || len(a.numbers) == 0 {
		return fmt.Errorf("the labeling job %s has no answers below %s", a.job.LabelingJobName, a.tree.URI(a.tree.ConsolidationRequests()))
	}
	return a.settle(ctx)
}

// settle makes the labels of the set, and begins another.
func (a *again) settle(ctx context.Context) error {
	set := a.set
	a.set = a.newSet()
	ids := map[int]string{}
	for id, n := range a.numbers {
		ids[n] = id
	}
	return set.Annotate(output.Stamp{Job: a.job.LabelingJobName, Created: a.now}, func(_ int, r annotate.Result) error {
		if r.Picture != nil {
			if err := a.keepPicture(ctx, ids[len(a.results)], &r); err != nil {
				return err
			}
		}
		a.results = append(a.results, r)
		return nil
	})
}

func (a *again) newSet() *annotate.Set {
	return annotate.New(annotate.Options{TaskType: a.taskType, Labels: a.labels, Method: a.method, Tree: a.tree})
}

// begin finds out the task type and the label categories.
func (a *again) begin(ctx context.Context) (err error) {
	if a.taskType, err = labeling.TaskTypeOf(a.job.HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn); err != nil {
		return fmt.Errorf("the labels of the job %s were not made by a built-in function: %w", a.job.LabelingJobName, err)
	}
	switch a.taskType {
	case labeling.Custom:
		return fmt.Errorf("the labels of the job %s are of type %s, which is what workers answered: there is nothing to consolidate", a.job.LabelingJobName, a.taskType)
	case labeling.ObjectDetection, labeling.ObjectDetectionAdjustment, labeling.SemanticSegmentation, labeling.SemanticSegmentationAdjustment:
		if a.method != classes.DawidSkene {
			return &usageError{errors.New("--method is for classifications, verifications and named entities; this job's labels are boxes or segments")}
		}
	}
	body, err := a.client.open(ctx, a.tree.Bucket(), a.tree.ToolData())
	if err != nil {
		return fmt.Errorf("the job's label categories: %w", err)
	}
	defer body.Close()
	doc, err := io.ReadAll(io.LimitReader(body, labeling.MaxLabelConfig+1))
	if err != nil {
		return err
	}
	config, err := labeling.ParseLabelConfig(doc, a.taskType)
	if err != nil {
		return fmt.Errorf("%s: %w", a.tree.URI(a.tree.ToolData()), err)
	}
	a.labels, a.numbers = config.Labels, map[string]int{}
	a.set = a.newSet()
	if !a.taskType.LabelIsFile() {
		return nil
	}
	a.uris = map[int]string{}
	return a.lines(ctx, func(n int, line []byte) error {
		var uri string
		if json.Unmarshal(label(line, a.job.LabelAttributeName), &uri) == nil {
			a.uris[n] = uri
		}
		return nil
	})
}

// keepPicture leaves a label that is a file what it was where its picture is the
// same; another picture is put beside it.
func (a *again) keepPicture(ctx context.Context, id string, r *annotate.Result) error {
	n, err := strconv.Atoi(id)
	if err != nil {
		return fmt.Errorf("%q is not a datasetObjectId of this server", id)
	}
	if uri, ok := a.uris[n]; ok {
		same, err := a.samePicture(ctx, uri, r.Picture.PNG)
		if err != nil {
			return err
		}
		if same {
			r.Label, err = json.Marshal(uri)
			return err
		}
	}
	return a.client.put(ctx, a.tree.Bucket(), r.Picture.Key, "image/png", r.Picture.PNG)
}

func (a *again) samePicture(ctx context.Context, uri string, png []byte) (bool, error) {
	where, err := labeling.ParseS3Object(uri)
	if err != nil {
		return false, nil // not one of ours
	}
	body, err := a.client.open(ctx, where.Bucket, where.Key)
	if err != nil {
		return false, err
	}
	defer body.Close()
	before, err := io.ReadAll(io.LimitReader(body, int64(len(png))+1))
	return bytes.Equal(before, png), err
}

// answered is an object in a consolidation request.
type answered struct {
	DatasetObjectID string `json:"datasetObjectId"`
	DataObject      struct {
		Content string `json:"content"`
	} `json:"dataObject"`
	Annotations []struct {
		WorkerID       string `json:"workerId"`
		AnnotationData struct {
			Content string `json:"content"`
		} `json:"annotationData"`
	} `json:"annotations"`
}

func (o answered) object() (labeling.Answered, error) {
	var out labeling.Answered
	var err error
	if out.Index, err = strconv.ParseInt(o.DatasetObjectID, 10, 64); err != nil {
		return out, fmt.Errorf("%q is not a datasetObjectId of this server", o.DatasetObjectID)
	}
	if out.Line, err = json.Marshal(map[string]string{"source": o.DataObject.Content}); err != nil {
		return out, err
	}
	for _, x := range o.Annotations {
		out.Answers = append(out.Answers, labeling.Answer{Worker: x.WorkerID, Content: json.RawMessage(x.AnnotationData.Content)})
	}
	return out, nil
}

// readAnswers reads all consolidation requests, the newest first; an object in
// several counts as the last one has it, for answers may have been discarded.
func (a *again) readAnswers(ctx context.Context) error {
	var keys []string
	if err := a.client.list(ctx, a.tree.Bucket(), a.tree.ConsolidationRequests(), func(key string) error {
		keys = append(keys, key)
		return nil
	}); err != nil {
		return err
	}
	slices.Sort(keys)
	slices.Reverse(keys)
	for _, key := range keys {
		if err := a.readRequest(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (a *again) readRequest(ctx context.Context, key string) error {
	body, err := a.client.open(ctx, a.tree.Bucket(), key)
	if err != nil {
		return err
	}
	defer body.Close()
	var objects []answered
	if err := json.NewDecoder(body).Decode(&objects); err != nil {
		return fmt.Errorf("%s is not a consolidation request: %w", a.tree.URI(key), err)
	}
	for _, o := range objects {
		if _, newer := a.numbers[o.DatasetObjectID]; newer {
			continue
		}
		object, err := o.object()
		if err != nil {
			return fmt.Errorf("%s: %w", a.tree.URI(key), err)
		}
		a.numbers[o.DatasetObjectID] = a.set.Add(object) + len(a.results)
	}
	if a.taskType.LabelIsFile() {
		// Objects do not tell of each other, and all pictures at once are many.
		return a.settle(ctx)
	}
	return nil
}

// write writes the manifest with the new labels.
func (a *again) write(ctx context.Context, w io.Writer) error {
	return a.lines(ctx, func(n int, line []byte) error {
		number, ok := a.numbers[strconv.Itoa(n)]
		if ok {
			r := a.results[number]
			before := label(line, a.job.LabelAttributeName)
			var err error
			if line, err = output.Line(line, a.job.LabelAttributeName, r.Annotation); err != nil {
				return fmt.Errorf("line %d of the manifest: %w", n+1, err)
			}
			switch {
			case r.Failure != "":
				a.failed++
			case bytes.Equal(before, r.Label):
				a.same++
			default:
				a.changed++
			}
		}
		_, err := w.Write(append(line, '\n'))
		return err
	})
}

// label is the value of a member, without white space.
func label(line []byte, name string) []byte {
	var m map[string]json.RawMessage
	var out bytes.Buffer
	if json.Unmarshal(line, &m) != nil || json.Compact(&out, m[name]) != nil {
		return nil
	}
	return out.Bytes()
}

// lines calls fn for every line of the output manifest.
func (a *again) lines(ctx context.Context, fn func(n int, line []byte) error) error {
	body, err := a.client.open(ctx, a.manifest.Bucket, a.manifest.Key)
	if err != nil {
		return fmt.Errorf("the output manifest: %w", err)
	}
	defer body.Close()
	in := bufio.NewReaderSize(body, 1<<16)
	for n := 0; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := fn(n, bytes.TrimRight(line, "\r\n")); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the output manifest: %w", err)
		}
	}
}
