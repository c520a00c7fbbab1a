package iam

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
)

// Shapes of names, from the IAM and STS service models.
var (
	nameShape        = regexp.MustCompile(`^[\w+=,.@-]+$`)
	externalIDShape  = regexp.MustCompile(`^[\w+=,.@:/-]*$`)
	pathShape        = regexp.MustCompile(`^(/|/[\x21-\x7e]+/)$`)
	pathPrefixShape  = regexp.MustCompile(`^/[\x21-\x7f]*$`)
	descriptionShape = regexp.MustCompile(`^[\t\n\r\x20-\x7e\x{a1}-\x{ff}]*$`)
	tagKeyShape      = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)
	tagValueShape    = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	accessKeyShape   = regexp.MustCompile(`^\w{3,128}$`)
)

// serverSessionName reports whether a name is one of a session of the server: 1 to
// 64 of [\w+=,.@-], where STS asks for two. It is asked with every media URL, so
// it does without an expression.
func serverSessionName(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_+=,.@-", rune(c)) {
			return false
		}
	}
	return true
}

// validation is AWS's sentence for a member that breaks a constraint.
func validation(member, value, constraint string) error {
	if utf8.RuneCountInString(value) > 128 {
		value = string([]rune(value)[:128]) + "…"
	}
	f := fault.Newf("iam.validate", fault.Invalid, "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint)
	f.Field = member
	return f
}

func checkText(member, value string, shape *regexp.Regexp, shortest, longest int) error {
	switch n := utf8.RuneCountInString(value); {
	case value == "" && shortest > 0:
		return validation(member, "null", "Member must not be null")
	case n < shortest:
		return validation(member, value, fmt.Sprintf("Member must have length greater than or equal to %d", shortest))
	case n > longest:
		return validation(member, value, fmt.Sprintf("Member must have length less than or equal to %d", longest))
	case !shape.MatchString(value):
		return validation(member, value, "Member must satisfy regular expression pattern: "+strings.Trim(shape.String(), "^$"))
	}
	return nil
}

func checkName(member, value string, longest int) error {
	return checkText(member, value, nameShape, 1, longest)
}

func checkRoleARN(member, value string) error {
	if value == "" {
		return validation(member, "null", "Member must not be null")
	}
	if len(value) < 20 {
		return validation(member, value, "Member must have length greater than or equal to 20")
	}
	a, err := arn.Parse(value)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return fault.Newf("iam.validate", fault.Invalid, "%q is invalid: expected the ARN of a role, arn:aws:iam::account:role/name", strings.ToValidUTF8(value, ""))
	}
	return nil
}

func checkTags(tags []Tag) error {
	if len(tags) > 50 {
		return validation("tags", fmt.Sprintf("(%d tags)", len(tags)), "Member must have length less than or equal to 50")
	}
	seen := map[string]bool{}
	for i, t := range tags {
		at := fmt.Sprintf("tags.%d.member.", i+1)
		if err := checkText(at+"key", t.Key, tagKeyShape, 1, 128); err != nil {
			return err
		}
		if err := checkText(at+"value", t.Value, tagValueShape, 0, 256); err != nil {
			return err
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return validation(at+"key", t.Key, "Member must not begin with aws:")
		}
		// Policies compare keys without regard to case.
		if seen[strings.ToLower(t.Key)] {
			return fault.Coded("iam.validate", fault.Invalid, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[strings.ToLower(t.Key)] = true
	}
	return nil
}

// noEntity is AWS's sentence for what is not there.
func noEntity(what, name string) error {
	return fault.Coded("iam.find", fault.NotFound, "NoSuchEntity", fmt.Sprintf("The %s with name %s cannot be found.", what, name))
}
