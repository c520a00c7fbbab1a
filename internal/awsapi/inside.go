package awsapi

import (
	"context"
	"encoding/json"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
)

// Do carries out one operation of a JSON service for a caller that another
// door of this server has let in, and returns its answer as a client would read
// it. It is the pipeline but for signature and body: the input is checked, the
// action authorized with the context's origin, and the decision recorded.
func (m *Mux) Do(ctx context.Context, caller *iam.Caller, service, operation string, input any, agent string) (json.RawMessage, error) {
	const op = "awsapi.Do"
	s := m.inside[service]
	if s == nil || s.Protocol == Query || s.operations[operation] == nil {
		return nil, fault.Newf(op, fault.Unsupported, "There is no operation %s of %s.", operation, service)
	}
	body, err := json.Marshal(input)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	c := &Call{Caller: caller, Operation: operation, Origin: origin.From(ctx), RequestID: m.RequestID(), Agent: agent, Time: m.Now(), Body: body, gate: m.gate}
	result, err := m.perform(ctx, s, c, s.operations[operation])
	if err != nil {
		return nil, err
	}
	raw, err := marshalJSON(result)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	return raw, nil
}
