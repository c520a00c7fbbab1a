package iamapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

func entry(name, kind string, values ...string) types.ContextEntry {
	return types.ContextEntry{ContextKeyName: aws.String(name), ContextKeyType: types.ContextKeyTypeEnum(kind), ContextKeyValues: values}
}

// verdict is a result in one line: the decision, and source@line:column-line:column
// of each statement that decided it.
func verdict(decision types.PolicyEvaluationDecisionType, matched []types.Statement) string {
	out := string(decision)
	for _, m := range matched {
		out += " " + *m.SourcePolicyId + "@" + place(m.StartPosition) + "-" + place(m.EndPosition)
	}
	return out
}

func place(p *types.Position) string {
	return string('0'+rune(p.Line/10)) + string('0'+rune(p.Line%10)) + ":" + strings.TrimSpace(string('0'+rune(p.Column/100))+string('0'+rune(p.Column/10%10))+string('0'+rune(p.Column%10)))
}

func TestSimulateCustomPolicy(t *testing.T) {
	p, ctx := newPort(t), context.Background()
	root := p.iam(rootID, rootSecret)
	const (
		afterADate = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`
		reads      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"},{"Sid":"Never","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret/*"}]}`
		pretty     = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}"
		onlyVPC    = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}]}`
		lent       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
		ann        = "arn:aws:iam::000000000000:user/ann"
	)
	for _, tc := range []struct {
		name     string
		in       awsiam.SimulateCustomPolicyInput
		want     []string // of each action
		specific []string // of the first action's resources
		missing  []string
	}{
		{"a date that has passed: the statement's brace and end, as AWS counts", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{afterADate}, ActionNames: []string{"dynamodb:CreateBackup"},
			ResourceArns: []string{"arn:aws:dynamodb:us-west-2:128716708097:table/mytable"}, ContextEntries: []types.ContextEntry{entry("aws:CurrentTime", "date", "2019-04-25T11:00:00Z")}},
			[]string{"allowed PolicyInputList.1@01:038-01:167"}, []string{"allowed PolicyInputList.1@01:038-01:167"}, nil},
		{"a date too early", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{afterADate}, ActionNames: []string{"dynamodb:CreateBackup"},
			ContextEntries: []types.ContextEntry{entry("aws:CurrentTime", "date", "2018-04-25T11:00:00Z")}}, []string{"implicitDeny"}, nil, nil},
		{"no date", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{afterADate}, ActionNames: []string{"dynamodb:CreateBackup"}}, []string{"implicitDeny"}, nil, []string{"aws:CurrentTime"}},
		{"lines", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{pretty}, ActionNames: []string{"s3:ListAllMyBuckets"}}, []string{"allowed PolicyInputList.1@03:017-08:006"}, nil, nil},
		{"several resources, and a Deny is the only statement named", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{reads}, ActionNames: []string{"s3:GetObject", "s3:PutObject"},
			ResourceArns: []string{"arn:aws:s3:::b/k", "arn:aws:s3:::b/secret/k", "arn:aws:s3:::c/k"}},
			[]string{"explicitDeny", "explicitDeny"}, []string{"allowed PolicyInputList.1@01:038-01:105", "explicitDeny PolicyInputList.1@01:105-01:190", "implicitDeny"}, nil},
		{"outside the VPC", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{reads}, ResourcePolicy: aws.String(onlyVPC), CallerArn: aws.String(ann), ActionNames: []string{"s3:GetObject"},
			ResourceArns: []string{"arn:aws:s3:::b/k"}, ContextEntries: []types.ContextEntry{entry("aws:SourceIp", "ip", "198.51.100.9")}},
			[]string{"explicitDeny ResourcePolicy@01:038-01:175"}, []string{"explicitDeny ResourcePolicy@01:038-01:175"}, []string{"aws:SourceVpc"}},
		{"inside the VPC", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{reads}, ResourcePolicy: aws.String(onlyVPC), CallerArn: aws.String(ann), ActionNames: []string{"s3:GetObject"},
			ResourceArns: []string{"arn:aws:s3:::b/k"}, ContextEntries: []types.ContextEntry{entry("aws:SourceVpc", "string", "vpc-1")}},
			[]string{"allowed PolicyInputList.1@01:038-01:105"}, []string{"allowed PolicyInputList.1@01:038-01:105"}, nil},
		{"another account's bucket needs both", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{reads}, ResourcePolicy: aws.String(onlyVPC), ResourceOwner: aws.String("arn:aws:iam::111111111111:root"), CallerArn: aws.String(ann),
			ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/k"}, ContextEntries: []types.ContextEntry{entry("aws:SourceVpc", "string", "vpc-1")}},
			[]string{"implicitDeny"}, []string{"implicitDeny"}, nil},
		{"another account's bucket, lent", awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{reads}, ResourcePolicy: aws.String(lent), ResourceOwner: aws.String("111111111111"), CallerArn: aws.String(ann),
			ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/k"}},
			[]string{"allowed PolicyInputList.1@01:038-01:105 ResourcePolicy@01:038-01:167"}, []string{"allowed PolicyInputList.1@01:038-01:105 ResourcePolicy@01:038-01:167"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := root.SimulateCustomPolicy(ctx, &tc.in)
			p.ok(err)
			var got, specific []string
			for _, r := range out.EvaluationResults {
				got = append(got, verdict(r.EvalDecision, r.MatchedStatements))
			}
			for _, r := range out.EvaluationResults[0].ResourceSpecificResults {
				specific = append(specific, verdict(r.EvalResourceDecision, r.MatchedStatements))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.specific, specific); diff != "" {
				t.Errorf("by resource (-want +got):\n%s", diff)
			}
			missing := out.EvaluationResults[0].MissingContextValues
			for _, r := range out.EvaluationResults[0].ResourceSpecificResults {
				missing = append(missing, r.MissingContextValues...)
			}
			if diff := cmp.Diff(tc.missing, missing); diff != "" && !(len(tc.missing) == 0 && len(missing) == 0) {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSimulateRefuses(t *testing.T) {
	p, ctx := newPort(t), context.Background()
	root := p.iam(rootID, rootSecret)
	const any = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	for _, tc := range []struct {
		name, message string
		change        func(*awsiam.SimulateCustomPolicyInput)
	}{
		{"a boundary", "permissions boundaries do not exist here", func(in *awsiam.SimulateCustomPolicyInput) { in.PermissionsBoundaryPolicyInputList = []string{any} }},
		{"no policy that can be read", "PolicyInputList.1:", func(in *awsiam.SimulateCustomPolicyInput) { in.PolicyInputList = []string{`{"Statement":[]}`} }},
		{"an action with a star", "Invalid Action Name", func(in *awsiam.SimulateCustomPolicyInput) { in.ActionNames = []string{"s3:*"} }},
		{"no resource's name", "Invalid Resource", func(in *awsiam.SimulateCustomPolicyInput) { in.ResourceArns = []string{"bucket"} }},
		{"a resource policy and nobody who asks", "CallerArn is needed", func(in *awsiam.SimulateCustomPolicyInput) {
			in.ResourcePolicy = aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`)
		}},
		{"a caller that is none", "CallerArn", func(in *awsiam.SimulateCustomPolicyInput) { in.CallerArn = aws.String("ann") }},
		{"an address that is none", "not of the type ip", func(in *awsiam.SimulateCustomPolicyInput) {
			in.ContextEntries = []types.ContextEntry{entry("aws:SourceIp", "ip", "here")}
		}},
		{"a key that follows from the caller", "follows from who asks", func(in *awsiam.SimulateCustomPolicyInput) {
			in.ContextEntries = []types.ContextEntry{entry("aws:username", "string", "ann")}
		}},
		{"a key twice", "given twice", func(in *awsiam.SimulateCustomPolicyInput) {
			in.ContextEntries = []types.ContextEntry{entry("s3:prefix", "string", "a"), entry("S3:Prefix", "string", "b")}
		}},
		{"two values of one", "2 values are given", func(in *awsiam.SimulateCustomPolicyInput) {
			in.ContextEntries = []types.ContextEntry{entry("s3:prefix", "string", "a", "b")}
		}},
		{"a marker of nobody", "Invalid Marker", func(in *awsiam.SimulateCustomPolicyInput) { in.Marker = aws.String("xyz") }},
		{"an owner that is none", "ResourceOwner", func(in *awsiam.SimulateCustomPolicyInput) { in.ResourceOwner = aws.String("me") }},
		{"a scenario that is none", "ResourceHandlingOption", func(in *awsiam.SimulateCustomPolicyInput) { in.ResourceHandlingOption = aws.String("EC2") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := &awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{any}, ActionNames: []string{"s3:GetObject"}}
			tc.change(in)
			_, err := root.SimulateCustomPolicy(ctx, in)
			wantError(t, err, "InvalidInput", tc.message)
		})
	}
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	p, ctx := newPort(t), context.Background()
	root := p.iam(rootID, rootSecret)
	_, err := root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("ann"), Path: aws.String("/staff/")})
	p.ok(err)
	own := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::homes/${aws:username}/*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}`
	_, err = root.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("home"), PolicyDocument: &own})
	p.ok(err)
	in := &awsiam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::000000000000:user/staff/ann"), ActionNames: []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
		ResourceArns: []string{"arn:aws:s3:::homes/ann/a"}, ContextEntries: []types.ContextEntry{entry("aws:SourceIp", "ip", "203.0.113.7")}, MaxItems: aws.Int32(2)}
	first, err := root.SimulatePrincipalPolicy(ctx, in)
	p.ok(err)
	if len(first.EvaluationResults) != 2 || !first.IsTruncated || verdict(first.EvaluationResults[0].EvalDecision, first.EvaluationResults[0].MatchedStatements) != "allowed user_ann_home@01:038-01:190" ||
		*first.EvaluationResults[0].MatchedStatements[0].SourcePolicyId != "user_ann_home" {
		t.Errorf("first page: %+v", first.EvaluationResults)
	}
	in.Marker = first.Marker
	second, err := root.SimulatePrincipalPolicy(ctx, in)
	p.ok(err)
	if len(second.EvaluationResults) != 1 || second.IsTruncated || *second.EvaluationResults[0].EvalActionName != "s3:DeleteObject" {
		t.Errorf("second page: %+v", second.EvaluationResults)
	}
	keys, err := root.GetContextKeysForPrincipalPolicy(ctx, &awsiam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: in.PolicySourceArn,
		PolicyInputList: []string{`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`}})
	p.ok(err)
	if diff := cmp.Diff([]string{"aws:username", "aws:SourceIp", "aws:SecureTransport"}, keys.ContextKeyNames); diff != "" {
		t.Error(diff)
	}
	custom, err := root.GetContextKeysForCustomPolicy(ctx, &awsiam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{own}})
	p.ok(err)
	if diff := cmp.Diff([]string{"aws:username", "aws:SourceIp"}, custom.ContextKeyNames); diff != "" {
		t.Error(diff)
	}

	in.PolicySourceArn, in.Marker = aws.String("arn:aws:iam::000000000000:user/nobody"), nil
	_, err = root.SimulatePrincipalPolicy(ctx, in)
	wantError(t, err, "NoSuchEntity", "nobody")
	in.PolicySourceArn = aws.String("arn:aws:iam::111111111111:user/ann")
	_, err = root.SimulatePrincipalPolicy(ctx, in)
	wantError(t, err, "InvalidInput", "expected the ARN")
	in.PolicySourceArn = aws.String("arn:aws:iam::000000000000:group/all")
	_, err = root.SimulatePrincipalPolicy(ctx, in)
	wantError(t, err, "InvalidInput", "groups do not exist")
}
