package awsapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
)

const (
	jsonType   = "application/x-amz-json-1.1"
	json10Type = "application/x-amz-json-1.0"
)

// target splits X-Amz-Target into the service's prefix and the operation.
func target(r *http.Request) (prefix, operation string) {
	t := r.Header.Get("X-Amz-Target")
	i := strings.LastIndexByte(t, '.')
	if i < 0 {
		return "", t
	}
	return t[:i], t[i+1:]
}

func marshalJSON(result any) ([]byte, error) {
	if result == nil {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	// Templates and presigned URLs go through here; AWS does not turn their
	// ampersands into \u0026.
	enc.SetEscapeHTML(false)
	if err := enc.Encode(result); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func (s *Service) jsonError(c Code, message string) []byte {
	b, err := marshalJSON(map[string]string{"__type": c.Name, s.messageMember(): message})
	if err != nil { // two strings always marshal
		return []byte(`{"__type":"InternalFailure"}`)
	}
	return b
}

func (s *Service) messageMember() string { return cmp.Or(s.MessageMember, "message") }
