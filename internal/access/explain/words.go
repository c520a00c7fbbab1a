package explain

import (
	"fmt"
	"slices"
	"strings"

	"fiducial/internal/origin"
	"fiducial/internal/policy"
	"fiducial/internal/workforce"
)

func (r *run) summary(a *Answer) string {
	how := " from " + a.From
	if a.OpenedAt != "" {
		how += ", with a URL made for " + a.OpenedAt
	}
	if a.Allowed {
		return fmt.Sprintf("%s can open %s of the job %s%s.", a.Worker, a.Object, a.Job, how)
	}
	for _, g := range a.Gates {
		if g.Name == a.DecidedBy {
			s := fmt.Sprintf("%s cannot open %s of the job %s%s: refused by the gate %q", a.Worker, a.Object, a.Job, how, g.Title)
			if g.By != "" {
				s += ", " + g.By
			}
			return s + "."
		}
	}
	return ""
}

// assumed is what an explanation takes for granted.
func (r *run) assumed() []string {
	out := []string{"The worker signs in with their own password, and the browser sends the request as this server's pages make it (GET, no Referer)."}
	if r.task.Would && r.task.Assignment == "" {
		out = append(out, "The worker takes the task first.")
	}
	if r.q.OpenedFrom == r.q.From && r.q.OpenedVia == r.q.Via {
		out = append(out, "The task is opened from the same place that the object is asked for from.")
	}
	return append(out, "Where the work team binds media to the worker's browser, the request comes from that browser.")
}

// signInChange says where ranges are written, which is what people look for.
func signInChange(w *workforce.Workforce, setting string, o origin.Origin) string {
	switch {
	case !o.Known():
		return "The address of this origin is not known, so no range holds it: see trusted-proxies in docs/networks.md."
	case setting == "IpAddressType":
		return "aws sagemaker update-workforce --workforce-name " + w.Name + " --ip-address-type dualstack"
	case o.VPC != "":
		return fmt.Sprintf("Let the workforce use the portal in %s: aws sagemaker update-workforce --workforce-name %s --workforce-vpc-config "+
			"VpcId=%s,SecurityGroupIds=…,Subnets=… (a workforce has one VPC). Or let these workers come from outside it.", o.VPC, w.Name, o.VPC)
	}
	cidrs := slices.Clone(w.CIDRs)
	for i := range cidrs {
		cidrs[i] = `"` + cidrs[i] + `"`
	}
	cidrs = append(cidrs, fmt.Sprintf(`"%s/%d"`, o.Addr, o.Addr.BitLen()))
	return fmt.Sprintf("Ranges that may use the portal are written in the workforce and nowhere else: aws sagemaker update-workforce --workforce-name %s "+
		`--source-ip-config '{"Cidrs":[%s]}'`, w.Name, strings.Join(cidrs, ","))
}

// bindingChange says which constraint admits the origin.
func bindingChange(team string, o origin.Origin) string {
	if !o.Known() {
		return "Find out why the address is not known: a trusted proxy must report it (docs/networks.md)."
	}
	name := "SourceIp"
	if o.VPCE != "" {
		name = "VpcSourceIp"
	}
	return fmt.Sprintf(`Enable %s too: aws sagemaker update-workteam --workteam-name %s --worker-access-configuration `+
		`'{"S3Presign":{"IamPolicyConstraints":{"SourceIp":"Enabled","VpcSourceIp":"Enabled"}}}'. With both, a URL opens from either sort of origin, and only there.`, name, team)
}

// bucketChange says what would satisfy a Deny of the bucket's policy.
func bucketChange(t *policy.Trace, o origin.Origin) string {
	for _, c := range t.Clauses {
		key, wanted := strings.ToLower(c.Key), strings.Join(c.Wanted, ", ")
		switch {
		case key == "aws:sourcevpc" && o.VPC == "":
			return "Workers outside a VPC are refused. Let them reach portal and media inside " + wanted +
				" (WorkforceVpcConfig of the workforce, an endpoint of it in the networks setting, VpcSourceIp of the work team), " +
				"or exempt the execution role in this statement (ArnNotLike aws:PrincipalArn)."
		case key == "aws:sourcevpce" && o.VPCE == "":
			return "Only requests through " + wanted + " are let in. Let workers reach the media through it (the networks setting), " +
				"or exempt the execution role in this statement (ArnNotLike aws:PrincipalArn)."
		case key == "aws:sourcevpc", key == "aws:sourcevpce":
			return "The request comes through " + o.VPCE + " of " + o.VPC + "; the statement wants " + wanted + ". Add it there, or let workers use that network."
		case key == "aws:sourceip" && o.VPCE != "":
			return "Requests through a VPC endpoint have no aws:SourceIp: let the statement name aws:SourceVpce or aws:VpcSourceIp besides."
		case key == "aws:sourceip", key == "aws:vpcsourceip":
			return fmt.Sprintf("Add %s to the ranges of this statement (%s), if workers at that address are to see the object: aws s3api put-bucket-policy.", o.Addr, wanted)
		case key == "aws:securetransport":
			return "The media endpoint is reached without TLS: give serve --tls-cert and --tls-key, or a --public-api-url with https."
		}
	}
	return "Change or remove this statement, or exempt the execution role in it: aws s3api put-bucket-policy."
}
