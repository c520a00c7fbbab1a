package workforce

import (
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// PasswordPolicy is what a pool asks of passwords.
type PasswordPolicy struct {
	MinimumLength         int // 6-99
	RequireUppercase      bool
	RequireLowercase      bool
	RequireNumbers        bool
	RequireSymbols        bool
	TemporaryValidityDays int // 0-365
}

// DefaultPolicy is a pool's when it is made without one.
var DefaultPolicy = PasswordPolicy{MinimumLength: 8, RequireUppercase: true, RequireLowercase: true,
	RequireNumbers: true, RequireSymbols: true, TemporaryValidityDays: 7}

// MaxPassword is the longest password, in characters.
const MaxPassword = 256

func (p *PasswordPolicy) valid(op string) error {
	if p.MinimumLength < 6 || p.MinimumLength > 99 {
		return fault.Coded(op, fault.Invalid, "InvalidParameterException", "Policies.PasswordPolicy.MinimumLength must be between 6 and 99.")
	}
	if p.TemporaryValidityDays < 0 || p.TemporaryValidityDays > 365 {
		return fault.Coded(op, fault.Invalid, "InvalidParameterException", "Policies.PasswordPolicy.TemporaryPasswordValidityDays must be between 0 and 365.")
	}
	return nil
}

// symbols are the characters that Cognito counts as such; a space counts inside
// a password, not at its ends.
const symbols = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+="

// Check says what a password lacks.
func (p *PasswordPolicy) Check(password string) error {
	lacks := ""
	switch {
	case utf8.RuneCountInString(password) < p.MinimumLength:
		lacks = "Password not long enough"
	case utf8.RuneCountInString(password) > MaxPassword:
		lacks = "Password too long"
	case strings.TrimSpace(password) != password:
		lacks = "Password must not begin or end with a space"
	case p.RequireUppercase && !strings.ContainsAny(password, alphaDigits[:26]):
		lacks = "Password must have uppercase characters"
	case p.RequireLowercase && !strings.ContainsAny(password, lowerDigits[:26]):
		lacks = "Password must have lowercase characters"
	case p.RequireNumbers && !strings.ContainsAny(password, lowerDigits[26:]):
		lacks = "Password must have numeric characters"
	case p.RequireSymbols && !strings.ContainsAny(password, symbols+" "):
		lacks = "Password must have symbol characters"
	default:
		return nil
	}
	return fault.Coded("workforce.Check", fault.Invalid, "InvalidPasswordException", "Password did not conform with policy: "+lacks)
}
