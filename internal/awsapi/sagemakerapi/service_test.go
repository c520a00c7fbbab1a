package sagemakerapi_test

import (
	"slices"
	"strings"
	"testing"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/sagemakerapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/workforce"
)

// Every operation of the model is built or says that it is not, and the built
// ones ask for an ARN.
func TestModelIsCovered(t *testing.T) {
	people := workforce.New(workforce.Config{Region: "us-east-1", Account: "123456789012"})
	s := sagemakerapi.New(sagemakerapi.Deps{Workforce: people, Region: "us-east-1", Account: "123456789012"}).Service()
	if len(s.Operations)+len(s.Planned) != len(wire.Operations) {
		t.Errorf("%d built + %d planned are not the model's %d", len(s.Operations), len(s.Planned), len(wire.Operations))
	}
	for _, o := range s.Operations {
		i := slices.IndexFunc(wire.Operations, func(m awsapi.ModelOperation) bool { return m.Name == o.Name })
		if i < 0 {
			t.Errorf("%s is not in the model", o.Name)
			continue
		}
		c := &awsapi.Call{Body: marshal(t, sample(wire.Operations[i].Input, true))}
		if err := o.Decode(c); err != nil {
			t.Errorf("%s: %v", o.Name, err)
			continue
		}
		if r := o.Resource(c); r != "*" && !strings.HasPrefix(r, "arn:aws") {
			t.Errorf("%s: resource %q", o.Name, r)
		}
	}
}
