package config

import (
	"net"
	"net/mail"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"fiducial/internal/setting"
)

// Messaging is whom this server tells what, and how.
type Messaging struct {
	OutboundHosts   []string
	Webhooks        Webhooks
	EventTopic      string
	ElsewhereTopics []string
	SNSEndpoint     string
	SQSEndpoint     string
	SMTPAddr        string
	SMTPTLS         string
	SMTPUser        string
	SMTPPassword    Secret
	SMTPFrom        string
	SMTPExclude     []string
}

// Webhook is an http endpoint that hears of events. No secret stands in it, only
// where the secret is.
type Webhook struct {
	Name       string   `yaml:"name"`
	URL        string   `yaml:"url"`
	SecretFile string   `yaml:"secret-file,omitempty"`
	SecretEnv  string   `yaml:"secret-env,omitempty"`
	Events     []string `yaml:"events,omitempty"` // detail types; empty: all
}

// Webhooks is the setting "webhooks": in the settings file a list, as a flag or a
// variable the name of a YAML file with the list.
type Webhooks []Webhook

// Set implements pflag.Value: it reads the file.
func (w *Webhooks) Set(file string) error {
	if file == "" {
		*w = nil
		return nil
	}
	return setting.File(file, w.SetYAML)
}

// SetYAML takes the list itself. A member that is not known is an error.
func (w *Webhooks) SetYAML(b []byte) error {
	list, err := setting.List[Webhook](b, "webhooks")
	if err == nil {
		*w = list
	}
	return err
}

// Type implements pflag.Value.
func (w *Webhooks) Type() string { return "file" }

// String implements pflag.Value.
func (w *Webhooks) String() string {
	if w == nil || len(*w) == 0 {
		return ""
	}
	return w.YAML()
}

// YAML is the list on one line.
func (w *Webhooks) YAML() string { return setting.Line([]Webhook(*w)) }

// The ways to reach a mail server.
var smtpTLS = []string{"starttls", "tls", "none"}

func (m *Messaging) register(fs *pflag.FlagSet) {
	fs.StringSliceVar(&m.OutboundHosts, "outbound-hosts", nil, "hosts (host, host:port, *.domain) that http subscriptions of topics may go to (repeatable; default: none)")
	fs.Var(&m.Webhooks, "webhooks", "http endpoints that hear of events: a list, see docs/notifications.md")
	fs.StringVar(&m.EventTopic, "event-topic", "", "ARN of a topic that hears of events (default: none)")
	fs.StringSliceVar(&m.ElsewhereTopics, "elsewhere-topics", nil, "ARNs of topics that real SNS keeps, with * for any part (repeatable; default: none)")
	fs.StringVar(&m.SNSEndpoint, "sns-endpoint", "", "URL of the SNS that keeps --elsewhere-topics (default: AWS's)")
	fs.StringVar(&m.SQSEndpoint, "sqs-endpoint", "", "URL of the SQS beside it (default: AWS's)")
	fs.StringVar(&m.SMTPAddr, "smtp-addr", "", "host:port of the mail server that tells workers of work (default: no mail)")
	fs.StringVar(&m.SMTPTLS, "smtp-tls", "starttls", "starttls, tls, or none for a mail server on this machine")
	fs.StringVar(&m.SMTPUser, "smtp-user", "", "user at the mail server (default: no sign-in)")
	fs.Var(&m.SMTPPassword, "smtp-password", "password at the mail server; better given as FIDUCIAL_SMTP_PASSWORD")
	fs.StringVar(&m.SMTPFrom, "smtp-from", "", "mail address that mails come from")
	fs.StringSliceVar(&m.SMTPExclude, "smtp-exclude", nil, "mail addresses of workers who get no mail (repeatable)")
}

var (
	topicPattern    = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)
	elsewhereTopics = regexp.MustCompile(`^arn:[a-z*-]+:sns:[a-z0-9*-]+:[0-9*]+:[A-Za-z0-9_*-]{1,256}$`)
	hostPattern     = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9_.-]+(:[0-9]{1,5})?$|^\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?$`)
	hookName        = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	hookURL         = regexp.MustCompile(`^https?://[^/@\s]+(/[^\s#]*)?$`)
)

func (m *Messaging) check(bad func(name, expected string, got any) error) error {
	for _, h := range m.OutboundHosts {
		if !hostPattern.MatchString(h) {
			return bad("outbound-hosts", "host, host:port or *.domain", h)
		}
	}
	seen := map[string]bool{}
	for _, w := range m.Webhooks {
		switch {
		case !hookName.MatchString(w.Name) || seen[w.Name]:
			return bad("webhooks", "a name of its own, 1-64 letters, digits, dots, hyphens and underscores, for each", w.Name)
		case !hookURL.MatchString(w.URL):
			return bad("webhooks", "http://host[:port]/path or https://host[:port]/path as url of "+w.Name, w.URL)
		case (w.SecretFile == "") == (w.SecretEnv == ""):
			return bad("webhooks", "either secret-file or secret-env for "+w.Name, w.SecretEnv)
		}
		seen[w.Name] = true
	}
	if m.EventTopic != "" && !topicPattern.MatchString(m.EventTopic) {
		return bad("event-topic", "the ARN of a topic", m.EventTopic)
	}
	for _, t := range m.ElsewhereTopics {
		if !elsewhereTopics.MatchString(t) {
			return bad("elsewhere-topics", "ARNs of topics, with * for any part", t)
		}
	}
	for name, u := range map[string]string{"sns-endpoint": m.SNSEndpoint, "sqs-endpoint": m.SQSEndpoint} {
		if err := checkURL(u); u != "" && err != nil {
			return bad(name, err.Error(), u)
		}
	}
	return m.checkMail(bad)
}

func (m *Messaging) checkMail(bad func(name, expected string, got any) error) error {
	if m.SMTPAddr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(m.SMTPAddr)
	if err != nil || host == "" {
		return bad("smtp-addr", "host:port", m.SMTPAddr)
	}
	if _, err := mail.ParseAddress(m.SMTPFrom); err != nil {
		return bad("smtp-from", "a mail address", m.SMTPFrom)
	}
	known := false
	for _, t := range smtpTLS {
		known = known || t == m.SMTPTLS
	}
	if !known {
		return bad("smtp-tls", strings.Join(smtpTLS, ", "), m.SMTPTLS)
	}
	if m.SMTPTLS == "none" && m.SMTPUser != "" {
		return bad("smtp-tls", "starttls or tls where there is a password to send", m.SMTPTLS)
	}
	return nil
}
