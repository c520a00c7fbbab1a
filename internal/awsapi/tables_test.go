package awsapi_test

import (
	"strings"
	"testing"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/a2iapi"
	"fiducial/internal/awsapi/cognitoapi"
	"fiducial/internal/awsapi/fiducialapi"
	"fiducial/internal/awsapi/iamapi"
	"fiducial/internal/awsapi/kmsapi"
	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/awsapi/snsapi"
	"fiducial/internal/awsapi/sqsapi"
	"fiducial/internal/awsapi/stsapi"
	"fiducial/internal/labeling/review"
)

// Every operation of every service has an action of its service, a resource, an
// audit name and a handler: nothing is reached without a decision on record.
func TestTables(t *testing.T) {
	for _, s := range []*awsapi.Service{
		sagemakerapi.New(sagemakerapi.Deps{}).Service(), a2iapi.New(&review.Service{}).Service(), cognitoapi.New(cognitoapi.Deps{}).Service(),
		iamapi.New(nil).Service(), kmsapi.New(nil).Service(), stsapi.New(nil).Service(), fiducialapi.New(fiducialapi.Deps{}).Service(),
		snsapi.New(nil, nil).Service(), sqsapi.New(nil, nil).Service(),
	} {
		if len(s.Operations) == 0 {
			t.Errorf("%s has no operations", s.Name)
		}
		seen := map[string]bool{}
		for _, o := range s.Operations {
			if o.Name == "" || seen[o.Name] {
				t.Errorf("%s: operation %q is nameless or there twice", s.Name, o.Name)
			}
			seen[o.Name] = true
			if !strings.HasPrefix(o.Action, s.Name+":") || o.AuditName() == "" {
				t.Errorf("%s: action %q, audit name %q", o.Name, o.Action, o.AuditName())
			}
			if o.Resource == nil || o.Handle == nil {
				t.Errorf("%s: no resource or no handler", o.Name)
			}
			// Whoever decides by itself is listed here, so that adding one is a decision.
			if by := s.Name + " " + o.Name; o.SelfAuthorized && by != "sts AssumeRole" && by != "sns ConfirmSubscription" && by != "sts GetCallerIdentity" {
				t.Errorf("%s authorizes itself", by)
			}
		}
		for _, p := range s.Planned {
			if seen[p] {
				t.Errorf("%s: %s is built and planned", s.Name, p)
			}
		}
	}
}
