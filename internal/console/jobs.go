package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// epoch is an instant as JSON 1.1 writes it: seconds.
type epoch float64

// Time is the instant; the zero one if there is none.
func (e epoch) Time() time.Time {
	if e == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(float64(e) * 1e6))
}

// ask carries out an operation for whoever is signed in, and reads its answer.
func (s *Console) ask(v *visit, service, operation string, input, output any) error {
	raw, err := s.API.Do(v.Context(), v.caller, service, operation, input, v.UserAgent())
	if err != nil || output == nil {
		return err
	}
	if err := json.Unmarshal(raw, output); err != nil {
		return fault.E("console.ask", fault.Internal, "", err)
	}
	return nil
}

// jobsPerPage is how many jobs a page of the list has.
const jobsPerPage = 50

type jobList struct {
	LabelingJobSummaryList []struct {
		LabelingJobName   string
		LabelingJobStatus string
		CreationTime      epoch
		FailureReason     string
		WorkteamArn       string
		LabelCounters     counters

		AnnotationConsolidationLambdaArn taskType
	}
	NextToken string
}

// taskType is a consolidation function's ARN, which says what a job's task is.
type taskType string

// Title is the task type as people call it.
func (t taskType) Title() string {
	of, err := labeling.TaskTypeOf(string(t))
	if err != nil {
		of = labeling.Custom
	}
	return of.Title()
}

type counters struct{ TotalLabeled, HumanLabeled, MachineLabeled, FailedNonRetryableError, Unlabeled int }

// Total is how many objects the job has, as far as is known.
func (c counters) Total() int { return c.TotalLabeled + c.FailedNonRetryableError + c.Unlabeled }

func (s *Console) jobs(v *visit) (reply, error) {
	in := map[string]any{"MaxResults": jobsPerPage, "SortBy": "CreationTime", "SortOrder": "Descending"}
	if next := v.URL.Query().Get("next"); next != "" {
		in["NextToken"] = next
	}
	var out jobList
	if err := s.ask(v, "sagemaker", "ListLabelingJobs", in, &out); err != nil {
		return nil, err
	}
	return page{"jobs", http.StatusOK, "Labeling jobs", out}, nil
}

// jobDescription is what DescribeLabelingJob says.
type jobDescription struct {
	LabelingJobName, LabelingJobArn, LabelingJobStatus, FailureReason, RoleArn, LabelAttributeName string

	CreationTime, LastModifiedTime epoch
	LabelCounters                  counters
	InputConfig                    struct {
		DataSource struct {
			S3DataSource struct{ ManifestS3Uri string }
		}
	}
	OutputConfig      struct{ S3OutputPath, KmsKeyId string }
	LabelingJobOutput struct{ OutputDatasetS3Uri string }
	HumanTaskConfig   struct {
		WorkteamArn, TaskTitle, TaskDescription string
		NumberOfHumanWorkersPerDataObject       int
		TaskTimeLimitInSeconds                  int
		AnnotationConsolidationConfig           struct{ AnnotationConsolidationLambdaArn taskType }
	}
	AccessWarnings []string
	WaitReason     string
	Tags           []struct{ Key, Value string }
}

type workteam struct {
	Workteam struct {
		WorkteamName, Description string
		WorkerAccessConfiguration struct {
			S3Presign struct {
				IamPolicyConstraints struct{ SourceIp, VpcSourceIp string }
			}
		}
	}
}

type jobPage struct {
	Job     jobDescription
	Team    string
	Binding string // what its media URLs are bound to, in words
	NoTeam  string // why the team cannot be shown
	Quality *qualityReport
}

func (s *Console) job(v *visit) (reply, error) {
	name := v.PathValue("job")
	var p jobPage
	if err := s.ask(v, "sagemaker", "DescribeLabelingJob", map[string]string{"LabelingJobName": name}, &p.Job); err != nil {
		return nil, notFound(err)
	}
	_, p.Team, _ = strings.Cut(p.Job.HumanTaskConfig.WorkteamArn, ":workteam/private-crowd/")
	var team workteam
	switch err := s.ask(v, "sagemaker", "DescribeWorkteam", map[string]string{"WorkteamName": p.Team}, &team); {
	case err != nil && fault.KindOf(err) == fault.Internal:
		return nil, err
	case err != nil:
		p.NoTeam = fault.MessageOf(err)
	default:
		c := team.Workteam.WorkerAccessConfiguration.S3Presign.IamPolicyConstraints
		p.Binding = binding(c.SourceIp == "Enabled", c.VpcSourceIp == "Enabled")
	}
	if err := s.quality(v, &p); err != nil {
		return nil, err
	}
	return page{"job", http.StatusOK, p.Job.LabelingJobName, p}, nil
}

func binding(source, vpc bool) string {
	switch {
	case source && vpc:
		return "the worker's address, outside or through a VPC endpoint (SourceIp and VpcSourceIp)"
	case source:
		return "the worker's address (SourceIp)"
	case vpc:
		return "the worker's address behind a VPC endpoint (VpcSourceIp)"
	}
	return "nothing: a media URL opens from anywhere while the task lasts"
}

// notFound: SageMaker says ValidationException where there is no such thing.
func notFound(err error) error {
	if fault.CodeOf(err) == "ResourceNotFound" {
		return fault.Newf("console", fault.NotFound, "%s", fault.MessageOf(err))
	}
	return err
}
