package explain

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
	"fiducial/internal/workforce"
)

// Warnings says which workers of a job's team the policies of its buckets will
// refuse, and by which statement: what a requester should know before the
// workers find out. It asks the policies about every sort of origin that the
// workforce admits and the work team's binding lets a URL be made for.
//
// It is cheap: a handful of policy decisions. A job without a team or role that
// can be used has no warnings; it has other troubles.
func (s *Service) Warnings(ctx context.Context, job string) ([]string, error) {
	w := &warner{Service: s}
	var err error
	if w.job, err = s.Jobs.Job(ctx, job); err != nil {
		return nil, err
	}
	if w.team, err = s.People.Team(ctx, w.job.Team); err != nil {
		return nil, unlessGone(err)
	}
	if w.force, err = s.People.Workforce(ctx); err != nil {
		return nil, unlessGone(err)
	}
	samples, err := s.Jobs.Samples(ctx, job)
	if err != nil {
		return nil, err
	}
	for _, sample := range samples {
		if err := w.look(ctx, sample); err != nil {
			return nil, err
		}
	}
	return w.out, nil
}

func unlessGone(err error) error {
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		return nil
	}
	return err
}

// warner is one job on its way to warnings.
type warner struct {
	*Service
	job   Job
	team  workforce.Workteam
	force workforce.Workforce
	out   []string
}

// look asks about one object, or about a bucket by way of the manifest.
func (w *warner) look(ctx context.Context, s Sample) error {
	doc, err := w.bucketPolicy(ctx, s)
	if err != nil || doc == nil {
		return err
	}
	binding := access.Binding{SourceIP: w.team.BindsSourceIP(), VpcSourceIP: w.team.BindsVpcSourceIP()}
	if binding.SourceIP || !binding.VpcSourceIP {
		for _, class := range w.outside(doc) {
			o, _, err := w.Network.Arrive(MediaSide, class[0].Addr(), "")
			if err != nil || !o.Known() {
				continue
			}
			if err := w.ask(ctx, s, o, class); err != nil {
				return err
			}
		}
	}
	if w.force.VPC == nil || binding.SourceIP && !binding.VpcSourceIP {
		return nil
	}
	if o, ok := w.Network.Inside(w.force.VPC.ID); ok {
		return w.ask(ctx, s, o, nil)
	}
	return nil
}

// bucketPolicy is the document of the sample's bucket, nil if it has none.
func (w *warner) bucketPolicy(ctx context.Context, s Sample) (*policy.Document, error) {
	p, err := w.Grants.Preview(w.request(s, origin.Origin{}, access.Binding{}))
	if err != nil || p.Invalid != nil {
		return nil, err
	}
	_, caller, err := w.Roles.AssumeRoleForService(ctx, p.Session)
	if err != nil {
		return nil, unlessGone(err)
	}
	stored, err := w.Objects.Ask(ctx, caller, origin.Origin{}, s.Bucket, s.Key)
	return stored.Question.ResourcePolicy, err
}

func (w *warner) request(s Sample, o origin.Origin, b access.Binding) access.Request {
	return access.Request{
		Grant:   identity.Grant{Worker: "worker", Job: w.job.Name, Team: w.job.Team, Assignment: "warning"},
		RoleARN: w.job.RoleARN, Bucket: s.Bucket, Key: s.Key, Origin: o, Binding: b, Expires: w.Now().Add(w.job.TimeLimit),
	}
}

// ask asks about one origin. ranges are what it stands for.
func (w *warner) ask(ctx context.Context, s Sample, o origin.Origin, ranges []netip.Prefix) error {
	p, err := w.Grants.Preview(w.request(s, o, access.Binding{SourceIP: o.VPCE == "", VpcSourceIP: o.VPCE != ""}))
	if err != nil || p.Invalid != nil || p.Refused != nil {
		return err
	}
	_, caller, err := w.Roles.AssumeRoleForService(ctx, p.Session)
	if err != nil {
		return unlessGone(err)
	}
	stored, err := w.Objects.Ask(ctx, caller, o, s.Bucket, s.Key)
	if err != nil {
		return err
	}
	x, err := w.Roles.Explain(ctx, caller, stored.Question)
	if err != nil {
		return err
	}
	t := sort(x).denies[policy.ResourceGate]
	if t == nil {
		return nil
	}
	w.warn(s, o, ranges, t)
	return nil
}

func (w *warner) warn(s Sample, o origin.Origin, ranges []netip.Prefix, t *policy.Trace) {
	who := "Workers outside a VPC endpoint"
	switch {
	case o.VPCE != "":
		who = "Workers inside " + o.VPC
	case len(w.force.CIDRs) > 0:
		who = "Workers at " + rangeWords(ranges)
	case len(wantedAddresses(t)) > 0:
		who = "Workers at other addresses than " + list(wantedAddresses(t))
	}
	what := "the data objects in " + s.Bucket
	if s.Manifest {
		what = "data objects that lie beside the manifest in " + s.Bucket
	}
	text := fmt.Sprintf("%s will not see %s: %s denies s3:GetObject%s.", who, what, nameOf(t, s.Bucket), wantedBy(t))
	if !slices.Contains(w.out, text) {
		w.out = append(w.out, text)
	}
}

func rangeWords(ranges []netip.Prefix) string {
	texts := make([]string, len(ranges))
	for i, p := range ranges {
		texts[i] = p.String()
	}
	return list(texts)
}

// wantedAddresses are the ranges in the statement's address conditions.
func wantedAddresses(t *policy.Trace) (out []string) {
	for _, c := range t.Clauses {
		if strings.EqualFold(c.Key, "aws:SourceIp") {
			out = append(out, c.Wanted...)
		}
	}
	return out
}

// strangers are addresses of nobody (RFC 5737, RFC 3849): they stand for workers
// anywhere, as long as no range of a policy holds them.
var strangers = []string{"192.0.2.1/32", "198.51.100.1/32", "203.0.113.1/32", "2001:db8::1/128"}

// outside returns ranges that stand for all that the workforce admits outside a
// VPC. A policy's ranges cut the admitted ones into pieces; those that lie in the
// same of a policy's ranges are one class, within which every decision is the same.
func (w *warner) outside(doc *policy.Document) [][]netip.Prefix {
	var cuts []netip.Prefix
	for _, text := range doc.Prefixes("aws:SourceIp") {
		if p, err := netip.ParsePrefix(text); err == nil {
			cuts = append(cuts, p.Masked())
		}
	}
	if len(w.force.CIDRs) == 0 {
		for _, text := range strangers {
			p := netip.MustParsePrefix(text)
			if !slices.ContainsFunc(cuts, func(c netip.Prefix) bool { return c.Contains(p.Addr()) }) {
				return [][]netip.Prefix{{p}}
			}
		}
		return nil
	}
	var out [][]netip.Prefix
	classes := map[string]int{}
	for _, text := range w.force.CIDRs {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			continue
		}
		for _, piece := range pieces(p.Masked(), cuts, 0) {
			class := classOf(piece, cuts)
			i, ok := classes[class]
			if !ok {
				i = len(out)
				classes[class], out = i, append(out, nil)
			}
			out[i] = append(out[i], piece)
		}
	}
	return out
}

// classOf names the cuts that hold a piece.
func classOf(piece netip.Prefix, cuts []netip.Prefix) string {
	b := make([]byte, len(cuts))
	for i, c := range cuts {
		b[i] = '0'
		if c.Contains(piece.Addr()) {
			b[i] = '1'
		}
	}
	return string(b)
}

// maxDepth bounds how finely a range is cut.
const maxDepth = 128

// pieces cuts p along the cuts and returns the ranges that no cut divides.
func pieces(p netip.Prefix, cuts []netip.Prefix, depth int) []netip.Prefix {
	divided := slices.ContainsFunc(cuts, func(c netip.Prefix) bool { return c.Bits() > p.Bits() && p.Contains(c.Addr()) })
	if !divided || depth >= maxDepth {
		return []netip.Prefix{p}
	}
	var out []netip.Prefix
	for _, half := range halves(p) {
		out = append(out, pieces(half, cuts, depth+1)...)
	}
	return out
}

// halves are the two ranges that a range consists of.
func halves(p netip.Prefix) [2]netip.Prefix {
	low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	b := p.Addr().AsSlice()
	b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	high, _ := netip.AddrFromSlice(b)
	return [2]netip.Prefix{low, netip.PrefixFrom(high, p.Bits()+1)}
}
