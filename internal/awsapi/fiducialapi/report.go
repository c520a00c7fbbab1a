package fiducialapi

import (
	"context"
	"time"

	"fiducial/internal/audit/report"
	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
)

// GetAccessReportInput asks who saw what from where on some days, in UTC.
type GetAccessReportInput struct {
	From            string // 2006-01-02
	To              string // the last day of it
	Worker          string // id, e-mail address or user name
	LabelingJobName string
	S3Uri           string
}

// ReportQuery is the same, read.
type ReportQuery struct {
	From, To time.Time // To is the first instant after
	report.Options
}

// Limits of a report over the API: longer ones are for "fiducial audit report",
// which reads the files.
const (
	maxReportDays = 92
	maxReportRows = 2000
)

var getAccessReportInput = structure(need("From", text(10)), need("To", text(10)), may("Worker", who), may("LabelingJobName", jobName), may("S3Uri", uri))

func (a *API) getAccessReport() awsapi.Operation {
	return operation("GetAccessReport", getAccessReportInput, func(*GetAccessReportInput) string { return "*" },
		func(ctx context.Context, in *GetAccessReportInput) (any, error) {
			q := ReportQuery{Options: report.Options{Job: in.LabelingJobName, Object: in.S3Uri, MaxRows: maxReportRows}}
			var err error
			if q.From, err = parseDay("From", in.From); err != nil {
				return nil, err
			}
			if q.To, err = parseDay("To", in.To); err != nil {
				return nil, err
			}
			q.To = q.To.AddDate(0, 0, 1)
			if d := q.To.Sub(q.From); d <= 0 || d > maxReportDays*24*time.Hour {
				return nil, fault.Newf("fiducialapi.report", fault.Invalid, "To: it must be From or up to %d days later; fiducial audit report has no such limit.", maxReportDays-1)
			}
			if in.Worker != "" {
				w, err := a.Explain.FindWorker(ctx, in.Worker)
				if err != nil {
					return nil, err
				}
				q.Worker = w.ID
			}
			return a.Report(ctx, q)
		})
}

func parseDay(member, s string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, fault.Newf("fiducialapi.report", fault.Invalid, "%s: %q is not a day (2006-01-02).", member, s)
	}
	return t, nil
}
