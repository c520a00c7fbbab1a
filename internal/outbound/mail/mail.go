// Package mail sends deliveries of kind outbound.Mail by SMTP.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"fiducial/internal/fault"
	"fiducial/internal/outbound"
)

// The ways to encrypt the connection to the mail server.
const (
	StartTLS = "starttls" // the server must offer it
	TLS      = "tls"      // from the first byte
	Plain    = "none"     // for a server on this machine
)

// Options say which server, and who we are.
type Options struct {
	Addr     string // host:port
	TLS      string // StartTLS, TLS, Plain
	User     string // "": no sign-in
	Password string
	From     string
	Roots    *x509.CertPool // nil: the system's
	Now      func() time.Time
}

// Sender implements outbound.Sender.
type Sender struct{ o Options }

var _ outbound.Sender = (*Sender)(nil)

// New makes a sender.
func New(o Options) *Sender { return &Sender{o} }

// Send implements outbound.Sender. A server that refuses for good (5xx) is Invalid:
// trying again is of no use.
func (s *Sender) Send(ctx context.Context, d outbound.Delivery) error {
	const op = "mail.Send"
	m := gomail.NewMsg()
	if err := m.From(s.o.From); err != nil {
		return fault.E(op, fault.Invalid, "the sender is no mail address", err)
	}
	if err := m.To(d.Target); err != nil {
		return fault.E(op, fault.Invalid, "the receiver is no mail address", err)
	}
	m.Subject(d.Header["Subject"])
	m.SetMessageIDWithValue(d.ID + "@fiducial")
	m.SetDateWithValue(s.o.Now())
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, string(d.Body))
	c, err := s.client()
	if err != nil {
		return fault.E(op, fault.Invalid, "the mail server cannot be used", err)
	}
	err = c.DialAndSendWithContext(ctx, m)
	var refused *gomail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() >= 500 && !refused.IsTemp() {
		return fault.E(op, fault.Invalid, "the mail server refuses: "+strconv.Itoa(refused.ErrorCode()), err)
	}
	if err != nil {
		return fault.E(op, fault.Unavailable, "the mail server does not take it", err)
	}
	return nil
}

func (s *Sender) client() (*gomail.Client, error) {
	host, port, err := net.SplitHostPort(s.o.Addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	o := []gomail.Option{gomail.WithPort(n), gomail.WithTimeout(15 * time.Second),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, RootCAs: s.o.Roots, MinVersion: tls.VersionTLS12})}
	switch s.o.TLS {
	case TLS:
		o = append(o, gomail.WithSSL())
	case Plain:
		o = append(o, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.o.User != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.o.User), gomail.WithPassword(s.o.Password))
	}
	return gomail.NewClient(host, o...)
}
