package fiducialapi

import (
	"context"
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/labeling/quality"
)

// Quality is the quality control of labeling jobs; *engine.Engine.
type Quality interface {
	// Quality reports; NotFound if there is no such job, InUse if it has none.
	Quality(ctx context.Context, job string) (*quality.Report, error)
	Exclude(ctx context.Context, job, worker string, requeue bool, reason, by string) error
	Admit(ctx context.Context, job, worker, reason, by string) error
}

// GetLabelingJobQualityInput asks how the workers of a job do.
type GetLabelingJobQualityInput struct{ LabelingJobName string }

// ExcludeWorkerInput keeps a worker from the tasks of one job.
type ExcludeWorkerInput struct {
	LabelingJobName string
	Worker          string // id, e-mail address or user name
	Reason          string
	RequeueAnswers  bool
}

// AdmitWorkerInput lets a worker who was paused or excluded in again.
type AdmitWorkerInput struct {
	LabelingJobName string
	Worker          string
	Reason          string
}

// WorkerOutput names the worker that was found.
type WorkerOutput struct{ WorkerId string }

var (
	getQualityInput = structure(need("LabelingJobName", jobName))
	excludeInput    = structure(need("LabelingJobName", jobName), need("Worker", who), need("Reason", text(256)), may("RequeueAnswers", &awsapi.Shape{Type: awsapi.Boolean}))
	admitInput      = structure(need("LabelingJobName", jobName), need("Worker", who), need("Reason", text(256)))
)

func (a *API) jobARN(name string) string {
	return arn.ARN{Partition: "aws", Service: "sagemaker", Region: a.Region, Account: a.Account, Resource: "labeling-job/" + strings.ToLower(name)}.String()
}

func (a *API) quality() []awsapi.Operation {
	return []awsapi.Operation{
		operation("GetLabelingJobQuality", getQualityInput, func(in *GetLabelingJobQualityInput) string { return a.jobARN(in.LabelingJobName) },
			func(ctx context.Context, in *GetLabelingJobQualityInput) (any, error) {
				return a.Quality.Quality(ctx, in.LabelingJobName)
			}),
		byCaller(operation("ExcludeWorker", excludeInput, func(in *ExcludeWorkerInput) string { return a.jobARN(in.LabelingJobName) }, nil),
			func(ctx context.Context, in *ExcludeWorkerInput, by string) (any, error) {
				w, err := a.Explain.FindWorker(ctx, in.Worker)
				if err != nil {
					return nil, err
				}
				return WorkerOutput{w.ID}, a.Quality.Exclude(ctx, in.LabelingJobName, w.ID, in.RequeueAnswers, in.Reason, by)
			}),
		byCaller(operation("AdmitWorker", admitInput, func(in *AdmitWorkerInput) string { return a.jobARN(in.LabelingJobName) }, nil),
			func(ctx context.Context, in *AdmitWorkerInput, by string) (any, error) {
				w, err := a.Explain.FindWorker(ctx, in.Worker)
				if err != nil {
					return nil, err
				}
				return WorkerOutput{w.ID}, a.Quality.Admit(ctx, in.LabelingJobName, w.ID, in.Reason, by)
			}),
	}
}

// byCaller makes an operation that notes who asked for it.
func byCaller[In any](o awsapi.Operation, handle func(ctx context.Context, in *In, by string) (any, error)) awsapi.Operation {
	o.Handle = func(ctx context.Context, c *awsapi.Call) (any, error) {
		return handle(ctx, c.Input.(*In), c.Caller.ARN)
	}
	return o
}
