package messaging

import (
	"crypto/md5" //nolint:gosec // the digest that clients of SQS compare, no protection
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// Bounds of messages.
const (
	MaxMessage    = 262_144 // bytes of body and attributes
	MaxSubject    = 100     // characters
	maxAttributes = 10
	maxAttribute  = 256 // characters of a name or type
)

// CheckMessage says what is wrong with a message, and how long it is. body is what
// the protocol calls the body.
func CheckMessage(m Message, body string) (size int, err error) {
	const op = "messaging.CheckMessage"
	if m.Body == "" {
		return 0, invalid(op, body, "must not be empty")
	}
	if err := checkText(op, body, m.Body); err != nil {
		return 0, err
	}
	if n := utf8.RuneCountInString(m.Subject); n > MaxSubject || strings.ContainsFunc(m.Subject, func(r rune) bool { return r < 0x20 || r > 0x7e }) || m.Subject != strings.TrimLeft(m.Subject, " ") {
		return 0, invalid(op, "Subject", fmt.Sprintf("must be at most %d ASCII characters on one line that do not begin with a space", MaxSubject))
	}
	if len(m.Attributes) > maxAttributes {
		return 0, invalid(op, "MessageAttributes", fmt.Sprintf("%d attributes, more than %d", len(m.Attributes), maxAttributes))
	}
	size = len(m.Body)
	for name, a := range m.Attributes {
		if err := checkAttribute(name, a); err != nil {
			return 0, err
		}
		size += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	if size > MaxMessage {
		return size, &fault.Error{Op: op, Kind: fault.Invalid, Field: body, Message: fmt.Sprintf("%s: body and attributes have %d bytes, more than %d", body, size, MaxMessage)}
	}
	return size, nil
}

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func checkAttribute(name string, a Attribute) error {
	const op, m = "messaging.CheckMessage", "MessageAttributes"
	lower := strings.ToLower(name)
	kind, _, _ := strings.Cut(a.DataType, ".")
	quoted := strconv.Quote(name[:min(len(name), 64)])
	switch {
	case len(name) > maxAttribute || !attributeName.MatchString(name):
		return invalid(op, m, "the name "+quoted+" must be 1-256 letters, digits, hyphens, underscores and single inner dots")
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return invalid(op, m, "the name "+quoted+" begins with a word that is kept for AWS")
	case len(a.DataType) > maxAttribute || checkText(op, m, a.DataType) != nil || kind != "String" && kind != "Number" && kind != "Binary":
		return invalid(op, m, "DataType of "+quoted+" must be String, Number or Binary, with .label behind it or without")
	case kind == "Binary" && (len(a.BinaryValue) == 0 || a.StringValue != ""):
		return invalid(op, m, quoted+" is Binary and needs a BinaryValue that is not empty, and no StringValue")
	case kind == "Binary":
		return nil
	case a.StringValue == "" || len(a.BinaryValue) > 0:
		return invalid(op, m, quoted+" needs a StringValue that is not empty, and no BinaryValue")
	case kind == "Number":
		if _, err := strconv.ParseFloat(a.StringValue, 64); err != nil {
			return invalid(op, m, quoted+" is a Number; its StringValue is none")
		}
	}
	return checkText(op, m, a.StringValue)
}

// checkText refuses what XML cannot carry, as SNS and SQS do; a NUL, which
// PostgreSQL cannot, is among it.
func checkText(op, field, s string) error {
	if !utf8.ValidString(s) {
		return invalid(op, field, "is not UTF-8")
	}
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return &fault.Error{Op: op, Kind: fault.Invalid, Field: field, Code: "InvalidMessageContents", Message: fmt.Sprintf("%s: has the character U+%04X, which is not allowed", field, r)}
		}
	}
	return nil
}

// BodyMD5 is the digest of a body that clients compare.
func BodyMD5(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// AttributesMD5 is the digest of message attributes that clients compare; "" for
// none.
func AttributesMD5(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	names := make([]string, 0, len(attributes))
	for n := range attributes {
		names = append(names, n)
	}
	slices.Sort(names)
	var b []byte
	part := func(s string) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...) } //nolint:gosec // bounded by MaxMessage
	for _, n := range names {
		a := attributes[n]
		part(n)
		part(a.DataType)
		if len(a.BinaryValue) > 0 {
			b = append(b, 2)
			part(string(a.BinaryValue))
		} else {
			b = append(b, 1)
			part(a.StringValue)
		}
	}
	sum := md5.Sum(b) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}
