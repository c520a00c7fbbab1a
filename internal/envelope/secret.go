package envelope

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands wherever a secret would have been shown.
const redacted = "(redacted)"

// Secret is a text that must not be seen: it prints, logs and marshals as a
// placeholder. Reveal is the one way out, and easy to search for.
type Secret struct{ text string }

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == "" }

// Equal compares in constant time for texts of one length.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.text), []byte(other.text)) == 1
}

// Format prints the placeholder, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String is the placeholder.
func (s Secret) String() string { return redacted }

// MarshalText keeps the secret out of JSON, XML and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the secret out of structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
