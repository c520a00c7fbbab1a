package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func reference(key, msg []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(msg)
	return h.Sum(nil)
}

// Secrets do not print, whatever the verb.
func TestSecretsDoNotPrint(t *testing.T) {
	key := DeriveKey("secret", "20260301", "us-east-1", "s3")
	c := Credentials{"ASIATEST", "very-secret", "a-token"}
	marshalled, err := json.Marshal(struct{ K SigningKey }{key})
	if err != nil {
		t.Fatal(err)
	}
	all := string(marshalled)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
		all += fmt.Sprintf(verb, key) + fmt.Sprintf(verb, struct{ K SigningKey }{key})
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		all += fmt.Sprintf(verb, c)
	}
	for _, secret := range []string{fmt.Sprintf("%x", key[:4]), fmt.Sprintf("%X", key[:4]), fmt.Sprint(key[0], " ", key[1]), "very-secret", "a-token"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in %s", secret, all)
		}
	}
}

func TestQuery(t *testing.T) {
	q, err := ParseQuery("b=2&a=%20x+y&b=1&flag&Prefix=up")
	if err != nil {
		t.Fatal(err)
	}
	if q.Get("a") != " x y" || q.Get("b") != "1" || !q.Has("flag") || q.Get("flag") != "" || q.Has("prefix") || q.Has("nothing") {
		t.Errorf("%+v", q)
	}
	if v, ok := q.LookupFold("PREFIX"); v != "up" || !ok {
		t.Errorf("%q", v)
	}
	if _, ok := q.LookupFold("nothing"); ok {
		t.Error("found")
	}
	for range q.All() {
		break
	}
	if _, err := ParseQuery("a=%"); err == nil {
		t.Error("a cut escape was accepted")
	}
	if _, err := ParseQuery("%g0=1"); err == nil {
		t.Error("a bad escape in a name was accepted")
	}
	many, err := ParseQuery("n=9&m=8&l=7&k=6&j=5&i=4&h=3&g=2&f=1&e=0&d=1&c=2")
	if err != nil || many.Len() != 12 || many.Get("c") != "2" || many.Get("n") != "9" {
		t.Errorf("%v, %+v", err, many)
	}
}

func TestEndpoint(t *testing.T) {
	for base, host := range map[string]string{
		"http://127.0.0.1:9000": "127.0.0.1:9000", "https://Media.Example.COM:443/": "media.example.com",
		"http://media.example.com:80": "media.example.com", "https://media.example.com:8443": "media.example.com:8443", "http://[::1]:9000": "[::1]:9000",
	} {
		e, err := NewEndpoint(base, "us-east-1")
		if err != nil || e.host != host {
			t.Errorf("%s: %v, %+v", base, err, e)
		}
	}
	for _, base := range []string{"", "127.0.0.1:9000", "ftp://h", "http://", "http://h/path", "http://h/?q", "http://h/#f", "http://u:p@h", "http://h:x"} {
		if _, err := NewEndpoint(base, "us-east-1"); err == nil {
			t.Errorf("%q was accepted", base)
		}
	}
}

// A life outside what can be verified is cut to it.
func TestPresignLife(t *testing.T) {
	e, err := NewEndpoint("http://"+attackHost, "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[time.Duration]string{-time.Hour: "=1&", 0: "=1&", 90*time.Second + 999*time.Millisecond: "=90&", 365 * 24 * time.Hour: "=604800&"} {
		u := e.Presign("GET", "/b/k", Credentials{"ASIATEST", "secret", "token/+="}, attackTime, d)
		if !strings.Contains(u, "X-Amz-Expires"+want) {
			t.Errorf("%v: %s", d, u)
		}
		if _, err := send(get(t, u), attackTime); err != nil {
			t.Errorf("%v: %v", d, err)
		}
	}
}

// benchToken is as long as a sealed session token is.
var benchToken = strings.Repeat("FwoGZXIvYXdzEBYaDHqa0AP-1_A", 25)

func benchURL(b *testing.B) (*Endpoint, Credentials, string) {
	e, err := NewEndpoint("http://"+attackHost, "us-east-1")
	if err != nil {
		b.Fatal(err)
	}
	c := Credentials{"ASIATEST", "secret", benchToken}
	return e, c, e.Presign("GET", "/media/images/0001.jpg", c, attackTime, time.Hour)
}

// BenchmarkVerifyPresigned is the share of signatures in a media request.
func BenchmarkVerifyPresigned(b *testing.B) {
	_, _, u := benchURL(b)
	r := get(b, u)
	for k, v := range map[string]string{"User-Agent": "Mozilla/5.0", "Accept": "image/*", "Accept-Encoding": "gzip", "Accept-Language": "en", "Referer": "http://127.0.0.1:9001/"} {
		r.Header.Set(k, v)
	}
	key := DeriveKey("secret", "20260301", "us-east-1", "s3")
	b.ReportAllocs()
	for b.Loop() {
		q, err := Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := q.Verify(r, key, attackTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPresign(b *testing.B) {
	e, c, _ := benchURL(b)
	b.ReportAllocs()
	for b.Loop() {
		e.Presign("GET", "/media/images/0001.jpg", c, attackTime, time.Hour)
	}
}

func BenchmarkMAC(b *testing.B) {
	key, msg := make([]byte, 32), make([]byte, 150)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mac(key, msg)
		}
	})
	b.Run("crypto/hmac", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			reference(key, msg)
		}
	})
}
