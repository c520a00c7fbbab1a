package portal

import (
	"net/http"

	"fiducial/internal/fault"
	"fiducial/internal/signin"
)

type signInPage struct{ Email, Next, Error string }

func (p *Portal) signInForm(v *visit) (reply, error) {
	switch v.session.Stage {
	case signin.SignedIn:
		return redirect{nextPath(v.URL.Query().Get("next"))}, nil
	case signin.NewPassword:
		return redirect{"/new-password"}, nil
	}
	return page{"signin", http.StatusOK, v, signInPage{Next: nextPath(v.URL.Query().Get("next"))}}, nil
}

// nextPath takes a path of ours and nothing else.
func nextPath(s string) string {
	if nextPaths.MatchString(s) {
		return s
	}
	return "/"
}

func (p *Portal) signIn(v *visit) (reply, error) {
	if err := v.form(); err != nil {
		return nil, err
	}
	email := v.PostForm.Get("email")
	next := nextPath(v.PostForm.Get("next"))
	session, token, err := p.SignIn.SignIn(v.Context(), signin.Attempt{
		Email: email, Password: signin.Password(v.PostForm.Get("password")), Agent: v.UserAgent(), Previous: v.token,
	})
	if err != nil {
		status := statusOf(err)
		if status >= 500 && status != http.StatusServiceUnavailable {
			return nil, err
		}
		// Whoever is refused is a stranger, whatever session came along.
		v.session = signin.Session{}
		return page{"signin", status, v, signInPage{Email: email, Next: next, Error: fault.MessageOf(err)}}, nil
	}
	if session.Stage == signin.NewPassword {
		return signedIn{token, "/new-password"}, nil
	}
	return signedIn{token, next}, nil
}

type newPasswordPage struct{ Email, Error string }

func (p *Portal) newPasswordForm(v *visit) (reply, error) {
	return page{"new-password", http.StatusOK, v, newPasswordPage{Email: v.worker.Email}}, nil
}

func (p *Portal) newPassword(v *visit) (reply, error) {
	if err := v.form(); err != nil {
		return nil, err
	}
	again := func(message string) (reply, error) {
		return page{"new-password", http.StatusBadRequest, v, newPasswordPage{Email: v.worker.Email, Error: message}}, nil
	}
	password := v.PostForm.Get("password")
	if password != v.PostForm.Get("again") {
		return again("The two passwords are not the same.")
	}
	_, token, err := p.SignIn.SetNewPassword(v.Context(), v.token, signin.Password(password), v.UserAgent())
	if fault.Is(err, fault.Invalid) {
		return again(sentence(fault.MessageOf(err)))
	}
	if err != nil {
		return nil, err
	}
	return signedIn{token, "/"}, nil
}

func (p *Portal) signOut(v *visit) (reply, error) {
	if err := p.SignIn.SignOut(v.Context(), v.token); err != nil {
		return nil, err
	}
	return signedIn{"", "/signin"}, nil
}

func (p *Portal) nothing(v *visit) (reply, error) {
	return nil, fault.Newf("portal.nothing", fault.NotFound, "There is no such page.")
}
