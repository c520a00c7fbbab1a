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
	"strings"
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
	numbers  map[string]int // datasetObjectId -> number in the set
	results  []annotate.Result

	same, changed, failed int
}

// describedJob is what is needed of DescribeLabelingJob's answer.
type describedJob struct {
	LabelingJobName    string
	LabelingJobStatus  string
	LabelAttributeName string
	OutputConfig       struct{ S3OutputPath string }
	LabelingJobOutput  struct{ OutputDatasetS3Uri string }
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
	return a.set.Annotate(output.Stamp{Job: a.job.LabelingJobName, Created: a.now}, func(_ int, r annotate.Result) error {
		a.results = append(a.results, r)
		return nil
	})
}

// begin finds out the task type, which label metadata tells, and the label
// categories.
func (a *again) begin(ctx context.Context) error {
	err := a.lines(ctx, func(_ int, line []byte) error {
		var m map[string]json.RawMessage
		var meta struct {
			Type    string `json:"type"`
			JobName string `json:"job-name"`
		}
		if json.Unmarshal(line, &m) != nil || json.Unmarshal(m[a.job.LabelAttributeName+"-metadata"], &meta) != nil {
			return nil
		}
		if meta.JobName == "labeling-job/"+a.job.LabelingJobName {
			a.taskType = labeling.TaskType(strings.TrimPrefix(meta.Type, "groundtruth/"))
			return io.EOF
		}
		return nil
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch a.taskType {
	case "":
		return fmt.Errorf("no line of %s has a label of the job %s", a.job.LabelingJobOutput.OutputDatasetS3Uri, a.job.LabelingJobName)
	case labeling.ImageClassification, labeling.ImageClassificationMultiLabel, labeling.TextClassification, labeling.TextClassificationMultiLabel, labeling.ObjectDetection:
	default:
		return fmt.Errorf("the labels of the job %s are of type %s: classifications and object detection can be consolidated again", a.job.LabelingJobName, a.taskType)
	}
	if a.method != classes.DawidSkene && a.taskType == labeling.ObjectDetection {
		return &usageError{errors.New("--method is for classifications; this job's labels are boxes")}
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
	j := labeling.Job{Labels: config.Labels}
	a.set, a.numbers = annotate.New(a.taskType, j.LabelNames(), a.method), map[string]int{}
	return nil
}

// answered is an object in a consolidation request.
type answered struct {
	DatasetObjectID string `json:"datasetObjectId"`
	Annotations     []struct {
		WorkerID       string `json:"workerId"`
		AnnotationData struct {
			Content string `json:"content"`
		} `json:"annotationData"`
	} `json:"annotations"`
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
		answers := make([]labeling.Answer, len(o.Annotations))
		for i, x := range o.Annotations {
			answers[i] = labeling.Answer{Worker: x.WorkerID, Content: json.RawMessage(x.AnnotationData.Content)}
		}
		a.numbers[o.DatasetObjectID] = a.set.Add(answers)
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
