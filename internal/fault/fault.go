// Package fault is the one error type that crosses package boundaries.
//
// A fault says what kind of thing went wrong, in words that are safe to show
// to whoever asked, and keeps the cause for the log. It knows nothing about
// HTTP: each wire protocol has one table that turns kinds into its own codes.
package fault

import (
	"errors"
	"fmt"
)

// Kind is the class of an error, coarse enough for every protocol to map.
type Kind uint8

// The kinds. Internal is the zero value, so a forgotten kind is never shown
// to a client as anything milder than a server error.
const (
	Internal        Kind = iota // a defect or a broken machine
	Invalid                     // the request is malformed or breaks a constraint
	Unauthenticated             // who is asking could not be established
	Denied                      // known caller, not permitted
	NotFound
	Exists      // a resource of that name is already there
	InUse       // the resource is used by another, or its state forbids the change
	Limit       // a quota or a size bound
	Precond     // a condition that the caller set does not hold
	Unavailable // try again later
	Unsupported // a documented operation that is not built
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "denied", "not found", "exists", "in use", "limit", "precondition", "unavailable", "unsupported"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error is a fault. Message is shown to clients; Op and Err are for the log.
type Error struct {
	Op      string // package.Operation, for the log
	Kind    Kind
	Code    string // AWS's word where it is part of a contract ("NoSuchKey"); empty means the protocol's default for Kind
	Field   string // the request member at fault, where one is
	Message string // safe to show
	Err     error  // the cause, never shown
}

// E makes a fault. The message may be empty when err explains itself only to us.
func E(op string, kind Kind, message string, err error) *Error {
	return &Error{Op: op, Kind: kind, Message: message, Err: err}
}

// Coded makes a fault with AWS's own code for it.
func Coded(op string, kind Kind, code, message string) *Error {
	return &Error{Op: op, Kind: kind, Code: code, Message: message}
}

// Newf makes a fault with a formatted, client-safe message.
func Newf(op string, kind Kind, format string, args ...any) *Error {
	return &Error{Op: op, Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.String()
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost fault in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	var f *Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return Internal
}

// CodeOf returns AWS's code of the outermost fault in err's chain, or "".
func CodeOf(err error) string {
	var f *Error
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

// MessageOf returns the message that may be shown for err: the outermost
// fault's own, or a fixed sentence where err is not a fault.
func MessageOf(err error) string {
	var f *Error
	if errors.As(err, &f) && f.Message != "" {
		return f.Message
	}
	return "We encountered an internal error. Please try again."
}

// Is reports whether err is a fault of the kind.
func Is(err error, kind Kind) bool {
	return err != nil && KindOf(err) == kind
}
