package cognitoapi

import (
	"context"

	"fiducial/internal/awsapi"
	"fiducial/internal/workforce"
)

func (a *API) pools() []awsapi.Operation {
	all := func(*listPoolsIn) string { return "*" }
	return []awsapi.Operation{
		row("CreateUserPool", structure(need("PoolName", poolName), may("Policies", structure(may("PasswordPolicy", passwordPolicy))),
			may("UsernameAttributes", listOf(enum("email", "phone_number"))), may("AliasAttributes", aliases),
			may("DeletionProtection", enum("ACTIVE", "INACTIVE")), may("MfaConfiguration", enum("OFF", "ON", "OPTIONAL")),
			may("LambdaConfig", &awsapi.Shape{Type: awsapi.Structure, Members: triggers()})),
			func(*createPoolIn) string { return "*" }, a.createPool),
		operation(a, "DescribeUserPool", inPoolOnly, a.describePool),
		row("ListUserPools", structure(need("MaxResults", &awsapi.Shape{Type: awsapi.Integer, Min: awsapi.Bound(1), Max: awsapi.Bound(60)}),
			may("NextToken", pageToken)), all, a.listPools),
		operation(a, "DeleteUserPool", inPoolOnly, a.deletePool),
		operation(a, "CreateUserPoolDomain", structure(need("UserPoolId", poolID), need("Domain", domain)), a.createDomain),
		operation(a, "CreateUserPoolClient", structure(need("UserPoolId", poolID), need("ClientName", poolName),
			may("GenerateSecret", anyBool), may("ExplicitAuthFlows", texts)), a.createClient),
		operation(a, "DescribeUserPoolClient", structure(need("UserPoolId", poolID), need("ClientId", clientID)), a.describeClient),
	}
}

type passwordPolicyIO struct {
	MinimumLength                 *int
	RequireUppercase              *bool
	RequireLowercase              *bool
	RequireNumbers                *bool
	RequireSymbols                *bool
	TemporaryPasswordValidityDays *int
}

type policiesIO struct {
	PasswordPolicy *passwordPolicyIO
}

type createPoolIn struct {
	PoolName           string
	Policies           *policiesIO
	UsernameAttributes []string
	AliasAttributes    []string
	DeletionProtection string
	MfaConfiguration   string
	LambdaConfig       map[string]string
}

// triggers are the functions that a pool may ask about people.
func triggers() []awsapi.Member {
	var out []awsapi.Member
	for _, n := range []string{"PreSignUp", "CustomMessage", "PostConfirmation", "PreAuthentication", "PostAuthentication",
		"DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse", "PreTokenGeneration", "UserMigration"} {
		out = append(out, may(n, anyText))
	}
	return out
}

type poolRef struct{ UserPoolId string }

func (r *poolRef) pool() string { return r.UserPoolId }

type poolOut struct {
	Id, Name, Arn      string
	Policies           policiesIO
	UsernameAttributes []string `json:",omitempty"`
	AliasAttributes    []string `json:",omitempty"`
	Domain             string   `json:",omitempty"`
	MfaConfiguration   string
	DeletionProtection string
	CreationDate       awsapi.Time
	LastModifiedDate   awsapi.Time
}

// createPool refuses what would be a promise of more protection than there is.
func (a *API) createPool(ctx context.Context, in *createPoolIn) (any, error) {
	switch {
	case in.MfaConfiguration == "ON":
		return nil, invalid("MfaConfiguration: a second factor is not available in this version.")
	case len(in.LambdaConfig) > 0:
		return nil, invalid("LambdaConfig: functions are not called in this version.")
	}
	p := workforce.UserPool{Name: in.PoolName, Policy: workforce.DefaultPolicy, UsernameAttributes: in.UsernameAttributes,
		AliasAttributes: in.AliasAttributes, Protected: in.DeletionProtection == "ACTIVE"}
	if in.Policies != nil && in.Policies.PasswordPolicy != nil {
		p.Policy = in.Policies.PasswordPolicy.policy()
	}
	p, err := a.Workforce.CreatePool(ctx, p)
	if err != nil {
		return nil, err
	}
	return struct{ UserPool poolOut }{poolOf(p)}, nil
}

// policy: what a given policy leaves out is not asked for, except the length.
func (p *passwordPolicyIO) policy() workforce.PasswordPolicy {
	is := func(b *bool) bool { return b != nil && *b }
	out := workforce.PasswordPolicy{MinimumLength: workforce.DefaultPolicy.MinimumLength, TemporaryValidityDays: workforce.DefaultPolicy.TemporaryValidityDays,
		RequireUppercase: is(p.RequireUppercase), RequireLowercase: is(p.RequireLowercase), RequireNumbers: is(p.RequireNumbers), RequireSymbols: is(p.RequireSymbols)}
	if p.MinimumLength != nil {
		out.MinimumLength = *p.MinimumLength
	}
	if p.TemporaryPasswordValidityDays != nil {
		out.TemporaryValidityDays = *p.TemporaryPasswordValidityDays
	}
	return out
}

func poolOf(p workforce.UserPool) poolOut {
	w := p.Policy
	protection := "INACTIVE"
	if p.Protected {
		protection = "ACTIVE"
	}
	return poolOut{Id: p.ID, Name: p.Name, Arn: p.ARN, UsernameAttributes: p.UsernameAttributes, AliasAttributes: p.AliasAttributes,
		Domain: p.Domain, MfaConfiguration: "OFF", DeletionProtection: protection,
		CreationDate: awsapi.At(p.CreatedAt), LastModifiedDate: awsapi.At(p.UpdatedAt),
		Policies: policiesIO{&passwordPolicyIO{&w.MinimumLength, &w.RequireUppercase, &w.RequireLowercase, &w.RequireNumbers, &w.RequireSymbols, &w.TemporaryValidityDays}}}
}

func (a *API) describePool(ctx context.Context, in *poolRef) (any, error) {
	p, err := a.Workforce.Pool(ctx, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return struct{ UserPool poolOut }{poolOf(p)}, nil
}

type listPoolsIn struct {
	MaxResults int64
	NextToken  string
}

type poolSummary struct {
	Id, Name                       string
	CreationDate, LastModifiedDate awsapi.Time
}

func (a *API) listPools(ctx context.Context, in *listPoolsIn) (any, error) {
	from, err := after("pools", in.NextToken)
	if err != nil {
		return nil, err
	}
	size := pageSize(in.MaxResults)
	found, err := a.Workforce.Pools(ctx, from, size+1)
	if err != nil {
		return nil, err
	}
	found, next := cut(found, size, "pools", func(p *workforce.UserPool) string { return p.ID })
	out := struct {
		UserPools []poolSummary
		NextToken string `json:",omitempty"`
	}{[]poolSummary{}, next}
	for _, p := range found {
		out.UserPools = append(out.UserPools, poolSummary{p.ID, p.Name, awsapi.At(p.CreatedAt), awsapi.At(p.UpdatedAt)})
	}
	return out, nil
}

// deletePool also forgets the passwords of everybody who was in the pool.
func (a *API) deletePool(ctx context.Context, in *poolRef) (any, error) {
	gone, err := a.Workforce.DeletePool(ctx, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	for _, id := range gone {
		if err := a.Passwords.Forget(ctx, id); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

type createDomainIn struct {
	poolRef
	Domain string
}

func (a *API) createDomain(ctx context.Context, in *createDomainIn) (any, error) {
	return nothing{}, a.Workforce.SetDomain(ctx, in.UserPoolId, in.Domain)
}

type createClientIn struct {
	poolRef
	ClientName        string
	GenerateSecret    bool
	ExplicitAuthFlows []string
}

type clientOut struct {
	UserPoolId, ClientName, ClientId string
	ClientSecret                     string   `json:",omitempty"`
	ExplicitAuthFlows                []string `json:",omitempty"`
	CreationDate, LastModifiedDate   awsapi.Time
}

func (a *API) createClient(ctx context.Context, in *createClientIn) (any, error) {
	c, err := a.Workforce.CreateClient(ctx, workforce.UserPoolClient{Pool: in.UserPoolId, Name: in.ClientName, Flows: in.ExplicitAuthFlows}, in.GenerateSecret)
	if err != nil {
		return nil, err
	}
	return struct{ UserPoolClient clientOut }{clientOf(c)}, nil
}

func clientOf(c workforce.UserPoolClient) clientOut {
	return clientOut{UserPoolId: c.Pool, ClientName: c.Name, ClientId: c.ID, ClientSecret: c.Secret.Reveal(), ExplicitAuthFlows: c.Flows,
		CreationDate: awsapi.At(c.CreatedAt), LastModifiedDate: awsapi.At(c.UpdatedAt)}
}

type clientRef struct {
	poolRef
	ClientId string
}

func (a *API) describeClient(ctx context.Context, in *clientRef) (any, error) {
	c, err := a.Workforce.Client(ctx, in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	return struct{ UserPoolClient clientOut }{clientOf(c)}, nil
}
