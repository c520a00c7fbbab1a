package cognitoapi

import (
	"context"
	"errors"
	"slices"
	"strings"

	"fiducial/internal/awsapi"
	"fiducial/internal/signin"
	"fiducial/internal/workforce"
)

func (a *API) users() []awsapi.Operation {
	inGroup := structure(need("UserPoolId", poolID), need("Username", username), need("GroupName", groupName))
	return []awsapi.Operation{
		operation(a, "AdminCreateUser", structure(need("UserPoolId", poolID), need("Username", username), may("UserAttributes", attributes),
			may("TemporaryPassword", password), may("MessageAction", enum("RESEND", "SUPPRESS"))), a.createUser),
		operation(a, "AdminSetUserPassword", structure(need("UserPoolId", poolID), need("Username", username), need("Password", password),
			may("Permanent", anyBool)), a.setPassword),
		operation(a, "AdminGetUser", ofUser, a.getUser),
		operation(a, "AdminDisableUser", ofUser, a.disableUser),
		operation(a, "AdminEnableUser", ofUser, a.enableUser),
		operation(a, "AdminDeleteUser", ofUser, a.deleteUser),
		operation(a, "AdminAddUserToGroup", inGroup, a.addUserToGroup),
		operation(a, "AdminRemoveUserFromGroup", inGroup, a.removeUserFromGroup),
		operation(a, "AdminListGroupsForUser", structure(need("UserPoolId", poolID), need("Username", username), may("Limit", pageLimit),
			may("NextToken", pageToken)), a.listGroupsForUser),
		operation(a, "ListUsers", structure(need("UserPoolId", poolID), may("AttributesToGet", texts), may("Limit", pageLimit),
			may("PaginationToken", pageToken), may("Filter", &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(256)})), a.listUsers),
	}
}

type attribute struct {
	Name  string
	Value string
}

type createUserIn struct {
	poolRef
	Username          string
	UserAttributes    []attribute
	TemporaryPassword signin.Password
	MessageAction     string
}

type userOut struct {
	Username             string
	Attributes           []attribute
	UserCreateDate       awsapi.Time
	UserLastModifiedDate awsapi.Time
	Enabled              bool
	UserStatus           string
}

// createUser makes a person. No message is sent, whatever MessageAction says:
// the requester hands over the temporary password. Without one nobody can sign
// in as that person until AdminSetUserPassword.
func (a *API) createUser(ctx context.Context, in *createUserIn) (any, error) {
	if in.MessageAction == "RESEND" {
		w, err := a.Workforce.FindWorker(ctx, in.UserPoolId, in.Username)
		if err != nil {
			return nil, err
		}
		return struct{ User userOut }{userOf(w, nil)}, nil
	}
	given, err := attributesIn(in.UserAttributes)
	if err != nil {
		return nil, err
	}
	p, err := a.Workforce.Pool(ctx, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if in.TemporaryPassword != "" {
		if err := p.Policy.Check(string(in.TemporaryPassword)); err != nil {
			return nil, err
		}
	}
	w, err := a.Workforce.CreateWorker(ctx, workforce.NewWorker{Pool: in.UserPoolId, Username: in.Username, Attributes: given})
	if err != nil {
		return nil, err
	}
	if in.TemporaryPassword != "" {
		if err := a.Passwords.SetPassword(ctx, w.ID, in.TemporaryPassword, false); err != nil {
			// Refused for a reason that the pool's policy does not know: the
			// person is taken back, so that the request can be made again.
			_, undo := a.Workforce.DeleteWorker(ctx, in.UserPoolId, w.Username)
			return nil, errors.Join(err, undo)
		}
	}
	return struct{ User userOut }{userOf(w, nil)}, nil
}

// standard are the attributes that every pool has, besides sub.
var standard = []string{"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale", "middle_name",
	"name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "updated_at", "website", "zoneinfo"}

func attributesIn(in []attribute) ([]workforce.Attribute, error) {
	var out []workforce.Attribute
	seen := map[string]bool{}
	for _, at := range in {
		switch {
		case seen[at.Name]:
			return nil, invalid("UserAttributes: " + at.Name + " is given twice.")
		case at.Name == "sub":
			return nil, invalid("user.sub: Attribute cannot be updated.")
		case !slices.Contains(standard, at.Name) && !strings.HasPrefix(at.Name, "custom:"):
			return nil, invalid("Attributes did not conform to the schema: " + at.Name + ": Attribute does not exist in the schema.")
		}
		seen[at.Name] = true
		out = append(out, workforce.Attribute(at))
	}
	return out, nil
}

// userOf shows a person; get limits the attributes, nil shows all.
func userOf(w workforce.Worker, get []string) userOut {
	out := userOut{Username: w.Username, Enabled: w.Enabled, UserStatus: w.Status, Attributes: []attribute{},
		UserCreateDate: awsapi.At(w.CreatedAt), UserLastModifiedDate: awsapi.At(w.UpdatedAt)}
	for _, at := range append([]workforce.Attribute{{Name: "sub", Value: w.Sub}}, w.Attributes...) {
		if get == nil || slices.Contains(get, at.Name) {
			out.Attributes = append(out.Attributes, attribute(at))
		}
	}
	return out
}

func usersOf(ws []workforce.Worker, get []string) []userOut {
	out := []userOut{}
	for _, w := range ws {
		out = append(out, userOf(w, get))
	}
	return out
}

func nameOf(w *workforce.Worker) string { return w.Username }

type userRef struct {
	poolRef
	Username string
}

type setPasswordIn struct {
	userRef
	Password  signin.Password
	Permanent bool
}

// setPassword also ends the person's sessions: a password is set by somebody
// else when the person lost it, or when somebody else found it.
func (a *API) setPassword(ctx context.Context, in *setPasswordIn) (any, error) {
	w, err := a.Workforce.FindWorker(ctx, in.UserPoolId, in.Username)
	if err != nil {
		return nil, err
	}
	if err := a.Passwords.SetPassword(ctx, w.ID, in.Password, in.Permanent); err != nil {
		return nil, err
	}
	if a.SignIns != nil {
		err = a.SignIns.EndAll(ctx, w.ID, "the password was set by the requester")
	}
	return nothing{}, err
}

func (a *API) getUser(ctx context.Context, in *userRef) (any, error) {
	w, err := a.Workforce.FindWorker(ctx, in.UserPoolId, in.Username)
	if err != nil {
		return nil, err
	}
	u := userOf(w, nil)
	return struct {
		Username             string
		UserAttributes       []attribute
		UserCreateDate       awsapi.Time
		UserLastModifiedDate awsapi.Time
		Enabled              bool
		UserStatus           string
	}{u.Username, u.Attributes, u.UserCreateDate, u.UserLastModifiedDate, u.Enabled, u.UserStatus}, nil
}

func (a *API) disableUser(ctx context.Context, in *userRef) (any, error) {
	return nothing{}, a.Workforce.SetEnabled(ctx, in.UserPoolId, in.Username, false)
}

func (a *API) enableUser(ctx context.Context, in *userRef) (any, error) {
	return nothing{}, a.Workforce.SetEnabled(ctx, in.UserPoolId, in.Username, true)
}

func (a *API) deleteUser(ctx context.Context, in *userRef) (any, error) {
	w, err := a.Workforce.DeleteWorker(ctx, in.UserPoolId, in.Username)
	if err != nil {
		return nil, err
	}
	return nil, a.Passwords.Forget(ctx, w.ID)
}

type memberRef struct {
	userRef
	GroupName string
}

func (a *API) addUserToGroup(ctx context.Context, in *memberRef) (any, error) {
	return nil, a.Workforce.AddToGroup(ctx, in.UserPoolId, in.Username, in.GroupName)
}

func (a *API) removeUserFromGroup(ctx context.Context, in *memberRef) (any, error) {
	return nil, a.Workforce.RemoveFromGroup(ctx, in.UserPoolId, in.Username, in.GroupName)
}

type listGroupsForUserIn struct {
	userRef
	Limit     int64
	NextToken string
}

func (a *API) listGroupsForUser(ctx context.Context, in *listGroupsForUserIn) (any, error) {
	list := "groups of " + in.UserPoolId + " " + workforce.Key(in.Username)
	from, err := after(list, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := a.Workforce.GroupsOf(ctx, in.UserPoolId, in.Username)
	if err != nil {
		return nil, err
	}
	size := pageSize(in.Limit)
	start := 0
	if from != "" {
		start = slices.IndexFunc(all, func(g workforce.Group) bool { return g.Name == from }) + 1
	}
	return groupPage(all[start:], size, list), nil
}

type listUsersIn struct {
	poolRef
	AttributesToGet []string
	Limit           int64
	PaginationToken string
	Filter          string
}

func (a *API) listUsers(ctx context.Context, in *listUsersIn) (any, error) {
	f, err := workforce.ParseFilter(in.Filter)
	if err != nil {
		return nil, err
	}
	list := "users " + in.UserPoolId + " " + in.Filter
	from, err := after(list, in.PaginationToken)
	if err != nil {
		return nil, err
	}
	size := pageSize(in.Limit)
	found, err := a.Workforce.Workers(ctx, in.UserPoolId, f, from, size+1)
	if err != nil {
		return nil, err
	}
	found, next := cut(found, size, list, nameOf)
	return struct {
		Users           []userOut
		PaginationToken string `json:",omitempty"`
	}{usersOf(found, in.AttributesToGet), next}, nil
}
