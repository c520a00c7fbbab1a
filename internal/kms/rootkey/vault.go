package rootkey

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/kms"
)

// vaultRoot is a key of a Transit engine of Vault or OpenBao, which speak alike.
// Two calls are needed, encrypt and decrypt with associated_data, so this is a
// client of its own: the official ones bring forty modules for them.
type vaultRoot struct {
	base, mount, key string
	token            envelope.Secret
	namespace        string
	client           *http.Client
}

// vaultPath is a mount, which may have several parts, and a key.
var vaultPath = regexp.MustCompile(`^([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*)/([A-Za-z0-9_.-]+)$`)

// maxVaultAnswer bounds an answer; a wrapped keyset has some hundred bytes.
const maxVaultAnswer = 1 << 20

// openVault reads URL#MOUNT/KEY. The token is VAULT_TOKEN's or BAO_TOKEN's, or in
// the file that VAULT_TOKEN_FILE names; VAULT_NAMESPACE and VAULT_CACERT count.
func openVault(rest string, lookup func(string) (string, bool)) (kms.Root, error) {
	address, path, _ := strings.Cut(rest, "#")
	u, err := endpoint(address)
	if err != nil {
		return nil, err
	}
	m := vaultPath.FindStringSubmatch(path)
	if m == nil {
		return nil, refused("vault: expected URL#MOUNT/KEY, such as https://vault.example.org:8200#transit/fiducial")
	}
	v := &vaultRoot{base: strings.TrimRight(u.String(), "/"), mount: m[1], key: m[2]}
	if v.token, err = vaultToken(lookup); err != nil {
		return nil, err
	}
	v.namespace, _ = first(lookup, "VAULT_NAMESPACE", "BAO_NAMESPACE")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if file, ok := first(lookup, "VAULT_CACERT", "BAO_CACERT"); ok {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fault.E(op, fault.Invalid, "root-key: vault: the file of VAULT_CACERT cannot be read", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, refused("vault: the file of VAULT_CACERT has no certificate in PEM")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	// A redirect would carry the token to another place.
	v.client = &http.Client{Timeout: remoteLimit, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return v, nil
}

func first(lookup func(string) (string, bool), names ...string) (string, bool) {
	for _, n := range names {
		if v, ok := lookup(n); ok && v != "" {
			return v, true
		}
	}
	return "", false
}

func vaultToken(lookup func(string) (string, bool)) (envelope.Secret, error) {
	if t, ok := first(lookup, "VAULT_TOKEN", "BAO_TOKEN"); ok {
		return envelope.NewSecret(t), nil
	}
	file, ok := first(lookup, "VAULT_TOKEN_FILE", "BAO_TOKEN_FILE")
	if !ok {
		return envelope.Secret{}, refused("vault: expected a token in VAULT_TOKEN or BAO_TOKEN, or in the file that VAULT_TOKEN_FILE names")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return envelope.Secret{}, fault.E(op, fault.Invalid, "root-key: vault: the file of VAULT_TOKEN_FILE cannot be read", err)
	}
	return envelope.NewSecret(strings.TrimSpace(string(b))), nil
}

func (v *vaultRoot) ID() string { return "vault:" + v.mount + "/" + v.key }

// Format prints the name: fmt does not ask the token how it wants to be shown,
// because the field is not exported.
func (v *vaultRoot) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.ID()) }

// call does one operation of the engine: encrypt or decrypt.
func (v *vaultRoot) call(ctx context.Context, operation string, in map[string]string, want string) (string, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return "", v.failed(operation, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.base+"/v1/"+v.mount+"/"+operation+"/"+v.key, bytes.NewReader(body))
	if err != nil {
		return "", v.failed(operation, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Vault-Token", v.token.Reveal())
	r.Header.Set("X-Vault-Request", "true")
	if v.namespace != "" {
		r.Header.Set("X-Vault-Namespace", v.namespace)
	}
	answer, err := v.client.Do(r)
	if err != nil {
		return "", v.failed(operation, err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxVaultAnswer))
	if err != nil {
		return "", v.failed(operation, err)
	}
	var out struct {
		Data   map[string]any `json:"data"`
		Errors []string       `json:"errors"`
	}
	_ = json.Unmarshal(raw, &out) // what is no JSON has no data and says why below
	got, _ := out.Data[want].(string)
	if answer.StatusCode != http.StatusOK || got == "" {
		// The engine's own words: they name a permission or a key, never its bytes.
		return "", v.failed(operation, fmt.Errorf("status %d: %s", answer.StatusCode, strings.Join(out.Errors, "; ")))
	}
	return got, nil
}

func (v *vaultRoot) failed(operation string, err error) error {
	return fault.E("rootkey.vault", fault.Unavailable, "root-key: the Transit engine at "+v.base+" does not "+operation+" with the key "+v.mount+"/"+v.key+
		" for this server: it cannot be reached or is sealed, the token does not allow it, or there is no such key", err)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func (v *vaultRoot) Wrap(ctx context.Context, plain envelope.Secret, purpose string) ([]byte, error) {
	c, err := v.call(ctx, "encrypt", map[string]string{"plaintext": b64(plain.Reveal()), "associated_data": b64(purpose)}, "ciphertext")
	return []byte(c), err
}

func (v *vaultRoot) Unwrap(ctx context.Context, wrapped []byte, purpose string) (envelope.Secret, error) {
	p, err := v.call(ctx, "decrypt", map[string]string{"ciphertext": string(wrapped), "associated_data": b64(purpose)}, "plaintext")
	if err != nil {
		return envelope.Secret{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return envelope.Secret{}, v.failed("decrypt", err)
	}
	return envelope.NewSecret(string(raw)), nil
}
