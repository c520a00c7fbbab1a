package workforce

import (
	"strings"

	"fiducial/internal/fault"
)

// Filter picks workers by one attribute, as Cognito's ListUsers does:
//
//	email = "a@example.org"     exactly
//	username ^= "a"             beginning with
//
// The zero Filter takes everybody.
type Filter struct {
	attribute, value string
	prefix           bool
}

// filterable are the attributes that a filter may name.
var filterable = map[string]bool{
	"username": true, "email": true, "phone_number": true, "name": true, "given_name": true, "family_name": true,
	"preferred_username": true, "cognito:user_status": true, "status": true, "sub": true,
}

// ParseFilter reads a filter; "" is everybody.
func ParseFilter(s string) (Filter, error) {
	const op = "workforce.ParseFilter"
	if strings.TrimSpace(s) == "" {
		return Filter{}, nil
	}
	name, value, ok := strings.Cut(s, "=")
	name, prefix := strings.CutSuffix(strings.TrimSpace(name), "^")
	name, value = strings.Trim(strings.TrimSpace(name), `"`), strings.TrimSpace(value)
	if !ok || len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return Filter{}, fault.Coded(op, fault.Invalid, "InvalidParameterException", `Error while parsing filter: expected attribute = "value" or attribute ^= "value".`)
	}
	if !filterable[name] {
		return Filter{}, fault.Coded(op, fault.Invalid, "InvalidParameterException", "Error while parsing filter: "+name+" is not a searchable attribute.")
	}
	return Filter{name, strings.ReplaceAll(value[1:len(value)-1], `\"`, `"`), prefix}, nil
}

// Takes reports whether the filter picks w.
func (f *Filter) Takes(w *Worker) bool {
	if f.attribute == "" {
		return true
	}
	have, want := w.searchable(f.attribute), f.value
	if f.attribute == "email" || f.attribute == "username" {
		have, want = Key(have), Key(want)
	}
	if f.prefix {
		return strings.HasPrefix(have, want)
	}
	return have == want
}

func (w *Worker) searchable(name string) string {
	switch name {
	case "username":
		return w.Username
	case "email":
		return w.Email
	case "sub":
		return w.Sub
	case "cognito:user_status":
		return w.Status
	case "status":
		if w.Enabled {
			return "Enabled"
		}
		return "Disabled"
	}
	return w.Attribute(name)
}
