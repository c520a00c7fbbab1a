package engine

import (
	"context"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/manifest"
)

// probe opens the first data objects that a manifest names. A role that may
// not read them would only be noticed by workers who see no picture.
type probe struct {
	tried int
	first error // why the first of them could not be opened
	good  bool
}

// probes is how many data objects are tried before none of them can be read.
const probes = 10

func (p *probe) look(ctx context.Context, b Bucket, role string, l manifest.Line) error {
	if p.good || p.tried >= probes || l.SourceRef == "" {
		return nil
	}
	where, err := labeling.ParseS3Object(l.SourceRef)
	if err != nil {
		return fail("%s", fault.MessageOf(err))
	}
	p.tried++
	body, _, err := b.Get(ctx, where.Bucket, where.Key)
	if err == nil {
		p.good = true
		return body.Close()
	}
	err = &objectError{role, "read", "the data object", where, err}
	if !permanent(err) {
		return err
	}
	if p.first == nil {
		p.first = err
	}
	if p.tried == probes {
		return p.verdict()
	}
	return nil
}

// verdict fails the job if not one of the objects tried could be opened.
func (p *probe) verdict() error {
	if p.good || p.first == nil {
		return nil
	}
	return fail("None of the first %d data objects that the input manifest names can be read. %s", p.tried, explain(p.first))
}
