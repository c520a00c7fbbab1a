package fiducialapi

import (
	"context"
	"net/netip"
	"strings"

	"fiducial/internal/access/explain"
	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
)

// ExplainAccessInput asks why a worker can or cannot open an object.
type ExplainAccessInput struct {
	Worker                  string // id, e-mail address or user name
	LabelingJobName         string
	S3Uri                   string
	SourceIp                string // where the request for the object comes from
	VpcEndpointId           string // what it comes through; empty for none
	OpenedFromIp            string // where the task was opened; empty for the same place
	OpenedFromVpcEndpointId string
}

// ExplainAccessOutput is an explain.Answer.
type ExplainAccessOutput struct {
	Allowed         bool
	Summary         string
	DecidedBy       string `json:",omitempty"`
	WorkerId        string
	Worker          string
	LabelingJobName string
	WorkteamArn     string
	S3Uri           string
	Origin          string
	OpenedOrigin    string `json:",omitempty"`
	Gates           []Gate
	Assumptions     []string
}

// Gate is an explain.Gate.
type Gate struct {
	Name    string
	Title   string
	Verdict string
	By      string `json:",omitempty"`
	Detail  string `json:",omitempty"`
	Change  string `json:",omitempty"`
}

var explainAccessInput = structure(
	need("Worker", who), need("LabelingJobName", jobName), need("S3Uri", uri), need("SourceIp", address), may("VpcEndpointId", endpoint),
	may("OpenedFromIp", address), may("OpenedFromVpcEndpointId", endpoint),
)

func (a *API) explainAccess() awsapi.Operation {
	return operation("ExplainAccess", explainAccessInput, func(in *ExplainAccessInput) string {
		return arn.ARN{Partition: "aws", Service: "sagemaker", Region: a.Region, Account: a.Account, Resource: "labeling-job/" + strings.ToLower(in.LabelingJobName)}.String()
	}, func(ctx context.Context, in *ExplainAccessInput) (any, error) {
		q := explain.Question{Worker: in.Worker, Job: in.LabelingJobName, Via: in.VpcEndpointId, OpenedVia: in.OpenedFromVpcEndpointId}
		var err error
		q.Bucket, q.Key = splitURI(in.S3Uri)
		if q.From, err = parseAddress("SourceIp", in.SourceIp); err != nil {
			return nil, err
		}
		if in.OpenedFromIp != "" {
			if q.OpenedFrom, err = parseAddress("OpenedFromIp", in.OpenedFromIp); err != nil {
				return nil, err
			}
		} else if in.OpenedFromVpcEndpointId != "" {
			return nil, fault.Newf("fiducialapi.explain", fault.Invalid, "OpenedFromVpcEndpointId needs OpenedFromIp: the address behind the endpoint.")
		}
		x, err := a.Explain.Explain(ctx, q)
		if err != nil {
			return nil, err
		}
		return outputOf(&x), nil
	})
}

func outputOf(x *explain.Answer) ExplainAccessOutput {
	out := ExplainAccessOutput{
		Allowed: x.Allowed, Summary: x.Summary, DecidedBy: x.DecidedBy, WorkerId: x.WorkerID, Worker: x.Worker, LabelingJobName: x.Job,
		WorkteamArn: x.Team, S3Uri: x.Object, Origin: x.From, OpenedOrigin: x.OpenedAt, Assumptions: x.Assumed,
	}
	for _, g := range x.Gates {
		out.Gates = append(out.Gates, Gate{Name: g.Name, Title: g.Title, Verdict: string(g.Verdict), By: g.By, Detail: g.Detail, Change: g.Change})
	}
	return out
}

// splitURI cuts an S3 URI that its shape has checked.
func splitURI(s string) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(s, "s3://"), "/")
	return bucket, key
}

func parseAddress(member, s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return a, fault.Newf("fiducialapi.explain", fault.Invalid, "%s: %q is not an IPv4 or IPv6 address.", member, s)
	}
	return a.Unmap(), nil
}
