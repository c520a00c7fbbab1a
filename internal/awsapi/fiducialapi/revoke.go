package fiducialapi

import (
	"context"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/workforce"
)

// RevokeAccessInput names what media URLs rest on. All that rest on any of the
// things named end, those that were made before.
type RevokeAccessInput struct {
	Reason          string
	Worker          string // id, e-mail address or user name
	LabelingJobName string
	Workteam        string // name or ARN
	AssignmentId    string
	GrantId         string
	S3Uri           string
	All             bool
}

// RevokeAccessOutput says what was ended, in words.
type RevokeAccessOutput struct{ Revoked []string }

var revokeAccessInput = structure(
	need("Reason", text(256)), may("Worker", who), may("LabelingJobName", jobName), may("Workteam", text(256)),
	may("AssignmentId", text(128)), may("GrantId", text(128)), may("S3Uri", uri), may("All", &awsapi.Shape{Type: awsapi.Boolean}),
)

func (a *API) revokeAccess() awsapi.Operation {
	return operation("RevokeAccess", revokeAccessInput, func(*RevokeAccessInput) string { return "*" },
		func(ctx context.Context, in *RevokeAccessInput) (any, error) {
			subjects, err := a.subjects(ctx, in)
			if err != nil {
				return nil, err
			}
			if len(subjects) == 0 {
				return nil, fault.Newf("fiducialapi.revoke", fault.Invalid,
					"Name what is to end: Worker, LabelingJobName, Workteam, AssignmentId, GrantId, S3Uri, or All.")
			}
			if err := a.Revoke.Revoke(ctx, in.Reason, subjects...); err != nil {
				return nil, err
			}
			var out RevokeAccessOutput
			for _, s := range subjects {
				out.Revoked = append(out.Revoked, strings.Replace(s.String(), access.OfJobMedia, "job", 1))
			}
			return out, nil
		})
}

// subjects finds what is named. Something that is not there is an error: nobody
// should believe that they have ended what they misspelt.
func (a *API) subjects(ctx context.Context, in *RevokeAccessInput) ([]access.Subject, error) {
	var out []access.Subject
	if in.Worker != "" {
		w, err := a.Explain.FindWorker(ctx, in.Worker)
		if err != nil {
			return nil, err
		}
		out = append(out, access.Subject{Kind: access.OfWorker, ID: w.ID})
	}
	if in.LabelingJobName != "" {
		name, err := a.Jobs(ctx, in.LabelingJobName)
		if err != nil {
			return nil, err
		}
		// Not OfJob, after which the job would never show anything again.
		out = append(out, access.Subject{Kind: access.OfJobMedia, ID: name})
	}
	if in.Workteam != "" {
		t, err := a.team(ctx, in.Workteam)
		if err != nil {
			return nil, err
		}
		out = append(out, access.Subject{Kind: access.OfTeam, ID: t.ARN})
	}
	if in.AssignmentId != "" {
		out = append(out, access.Subject{Kind: access.OfAssignment, ID: in.AssignmentId})
	}
	if in.GrantId != "" {
		out = append(out, access.Subject{Kind: access.OfGrant, ID: in.GrantId})
	}
	if in.S3Uri != "" {
		out = append(out, access.Object(splitURI(in.S3Uri)))
	}
	if in.All {
		out = append(out, access.Subject{Kind: access.OfAll})
	}
	return out, nil
}

func (a *API) team(ctx context.Context, name string) (workforce.Workteam, error) {
	if strings.HasPrefix(name, "arn:") {
		return a.Teams.Team(ctx, name)
	}
	return a.Teams.DescribeWorkteam(ctx, name)
}
