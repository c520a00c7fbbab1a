package config_test

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"fiducial/internal/config"
)

// What cannot work is refused with the setting's name, before anything starts.
func TestMessagingSettings(t *testing.T) {
	const hook = "- name: a\n  url: https://h.example/x\n  secret-env: S\n"
	for _, c := range []struct {
		name, hooks string
		args        []string
		want        string // in the refusal; "" accepted
	}{
		{"nothing", "", nil, ""},
		{"all", hook, []string{"--outbound-hosts", "a.example,*.b.example,c:8080,[::1]:80", "--event-topic", "arn:aws:sns:us-east-1:000000000000:e", "--elsewhere-topics", "arn:aws:sns:*:*:x-*",
			"--sns-endpoint", "http://127.0.0.1:1", "--smtp-addr", "mail:587", "--smtp-from", "a@b.example"}, ""},
		{"host with a path", "", []string{"--outbound-hosts", "a.example/x"}, "outbound-hosts"},
		{"any host", "", []string{"--outbound-hosts", "*"}, "outbound-hosts"},
		{"hook without secret", "- name: a\n  url: https://h.example/x\n", nil, "secret-file or secret-env"},
		{"two hooks of one name", hook + hook, nil, "name of its own"},
		{"hook with a user", "- name: a\n  url: https://u:p@h.example/x\n  secret-env: S\n", nil, "webhooks"},
		{"hook elsewhere", "- name: a\n  url: file:///x\n  secret-env: S\n", nil, "webhooks"},
		{"event topic", "", []string{"--event-topic", "events"}, "event-topic"},
		{"elsewhere is all", "", []string{"--elsewhere-topics", "*"}, "elsewhere-topics"},
		{"endpoint", "", []string{"--sqs-endpoint", "sqs"}, "sqs-endpoint"},
		{"mail without sender", "", []string{"--smtp-addr", "mail:587"}, "smtp-from"},
		{"mail without port", "", []string{"--smtp-addr", "mail", "--smtp-from", "a@b.example"}, "smtp-addr"},
		{"mail TLS", "", []string{"--smtp-addr", "mail:1", "--smtp-from", "a@b.example", "--smtp-tls", "maybe"}, "smtp-tls"},
		{"password in the clear", "", []string{"--smtp-addr", "mail:1", "--smtp-from", "a@b.example", "--smtp-tls", "none", "--smtp-user", "u"}, "smtp-tls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s config.Settings
			fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
			s.Register(fs)
			if err := fs.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			if err := s.Messaging.Webhooks.SetYAML([]byte(c.hooks)); err != nil {
				t.Fatal(err)
			}
			err := s.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	var w config.Webhooks
	if err := w.SetYAML([]byte("- name: a\n  adress: x\n")); err == nil {
		t.Error("a member that is not known is taken")
	}
	if err := w.SetYAML([]byte(hook)); err != nil || !strings.Contains(w.YAML(), "secret-env: S") {
		t.Errorf("%s, %v", w.YAML(), err)
	}
}
