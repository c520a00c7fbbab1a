package s3api_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fiducial/internal/iam"
	"fiducial/internal/identity"
)

// presignV2 makes a URL as the AWS CLI and boto3 do for us-east-1: written from
// the description of Signature Version 2, apart from the code under test.
func (e *endpoint) presignV2(method, path, query, key, secret, token string, expires time.Time) string {
	at := fmt.Sprint(expires.Unix())
	text := method + "\n\n\n" + at + "\n"
	params := url.Values{"AWSAccessKeyId": {key}, "Expires": {at}}
	if token != "" {
		text += "x-amz-security-token:" + token + "\n"
		params.Set("x-amz-security-token", token)
	}
	text += path
	if query != "" {
		decoded, _ := url.PathUnescape(query)
		text += "?" + decoded
	}
	m := hmac.New(sha1.New, []byte(secret))
	m.Write([]byte(text))
	params.Set("Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	raw := strings.ReplaceAll(params.Encode(), "+", "%20")
	if query != "" {
		raw = query + "&" + raw
	}
	return e.url + path + "?" + raw
}

func TestPresignedByVersion2(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "a b", "meow", "k", "woof")
	ctx := context.Background()
	soon := time.Now().Add(time.Minute)
	root := func(method, path, query string, at time.Time) string {
		return e.presignV2(method, path, query, rootKey, rootSecret, "", at)
	}
	e.grant("k", "127.0.0.1", time.Now(), time.Minute) // makes the role
	session := func(g identity.Grant) string {
		c, _, err := e.iam.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: "arn:aws:iam::" + account + ":role/labeler", SessionName: "wo", Duration: time.Hour, Grant: g})
		check(t, err)
		return e.presignV2("GET", "/media/k", "", c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken, soon)
	}
	for _, c := range []struct {
		name, method, url string
		header            http.Header
		want              int
	}{
		{"get", "GET", root("GET", "/media/k", "", soon), nil, 200},
		{"get of a key with a space", "GET", root("GET", "/media/a%20b", "", soon), nil, 200},
		{"head", "HEAD", root("HEAD", "/media/k", "", soon), nil, 200},
		{"put", "PUT", root("PUT", "/media/new", "", soon), nil, 200},
		{"a signed override", "GET", root("GET", "/media/k", "response-content-type=text%2Fplain", soon), nil, 200},
		{"a role's session", "GET", session(identity.Grant{}), nil, 200},
		{"a session for a media URL", "GET", session(identity.Grant{ID: "g"}), nil, 403},
		{"another method", "HEAD", root("GET", "/media/k", "", soon), nil, 403},
		{"delete", "DELETE", root("DELETE", "/media/k", "", soon), nil, 403},
		{"another key", "GET", strings.Replace(root("GET", "/media/k", "", soon), "/k?", "/a%20b?", 1), nil, 403},
		{"an override that was not signed", "GET", root("GET", "/media/k", "", soon) + "&response-content-type=text%2Fhtml", nil, 403},
		{"a parameter that is not signed", "GET", root("GET", "/media/k", "", soon) + "&x-id=GetObject", nil, 403},
		{"a parameter twice", "GET", root("GET", "/media/k", "", soon) + "&Expires=9999999999", nil, 403},
		{"expired", "GET", root("GET", "/media/k", "", time.Now().Add(-time.Second)), nil, 403},
		{"for ever", "GET", root("GET", "/media/k", "", time.Now().Add(30*24*time.Hour)), nil, 403},
		{"an unknown key", "GET", e.presignV2("GET", "/media/k", "", "AKIAUNKNOWNUNKNOWN12", "x", "", soon), nil, 403},
		{"another secret", "GET", e.presignV2("GET", "/media/k", "", rootKey, "another-secret", "", soon), nil, 403},
		{"a header that is not signed", "PUT", root("PUT", "/media/new", "", soon), http.Header{"X-Amz-Acl": {"private"}}, 403},
		{"a copy", "PUT", root("PUT", "/media/new", "", soon), http.Header{"X-Amz-Copy-Source": {"/media/k"}}, 403},
		{"another type", "PUT", root("PUT", "/media/new", "", soon), http.Header{"Content-Type": {"text/html"}}, 403},
	} {
		if code, body := status(t, http.DefaultClient, c.method, c.url, c.header); code != c.want {
			t.Errorf("%s: %d %.200s", c.name, code, body)
		}
	}
	check(t, e.objects.PutBucketPolicy(ctx, local(e), "media", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::media/*","Condition":{"StringEquals":{"s3:signatureversion":"AWS"}}}]}`), true))
	if code, _ := status(t, http.DefaultClient, "GET", root("GET", "/media/k", "", soon), nil); code != 403 {
		t.Errorf("where a policy refuses Version 2: %d", code)
	}
}

func TestPresignedByVersion2EveryByte(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "k", "meow")
	good := e.presignV2("GET", "/media/k", "", rootKey, rootSecret, "", time.Now().Add(time.Hour))
	if code, _ := status(t, http.DefaultClient, "GET", good, nil); code != 200 {
		t.Fatal(code)
	}
	for i := strings.IndexByte(good, '?') + 1; i < len(good); i++ {
		for _, b := range []byte{good[i] ^ 1, good[i] ^ 0x20, '%', '&', '=', '0'} {
			changed := good[:i] + string(b) + good[i+1:]
			if _, err := url.Parse(changed); err != nil || b == good[i] || b <= ' ' || b == '#' || b >= 0x7f {
				continue
			}
			if code, body := status(t, http.DefaultClient, "GET", changed, nil); code != 403 {
				t.Errorf("byte %d (%q for %q): %d %.150s", i, b, good[i], code, body)
			}
		}
	}
}
