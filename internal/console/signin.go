package console

import (
	"net/http"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/signin/accesskey"
)

type signInPage struct{ AccessKeyID, Error string }

func (s *Console) signInForm(v *visit) (reply, error) {
	if v.caller != nil {
		return redirect{"/console"}, nil
	}
	return page{"signin", http.StatusOK, "Sign in", signInPage{}}, nil
}

func (s *Console) signIn(v *visit) (reply, error) {
	a := accesskey.Attempt{AccessKeyID: strings.TrimSpace(v.PostForm.Get("access-key-id")),
		SecretAccessKey: strings.TrimSpace(v.PostForm.Get("secret-access-key")), Origin: v.origin, Agent: v.UserAgent()}
	token, err := s.SignIn.SignIn(v.Context(), a)
	if err == nil {
		return withCookie{token, "/console"}, nil
	}
	status := statuses[fault.KindOf(err)]
	switch {
	case fault.CodeOf(err) == accesskey.CodeTooMany:
		status = http.StatusTooManyRequests
	case !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Denied):
		return nil, err
	}
	if len(a.AccessKeyID) > 128 {
		a.AccessKeyID = ""
	}
	return page{"signin", status, "Sign in", signInPage{a.AccessKeyID, fault.MessageOf(err)}}, nil
}

func (s *Console) signOut(v *visit) (reply, error) {
	if err := s.SignIn.SignOut(v.Context(), v.token, v.session, v.caller, v.origin, v.UserAgent()); err != nil {
		return nil, err
	}
	return withCookie{"", "/console/signin"}, nil
}
