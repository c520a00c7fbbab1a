package awsapi

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/sigv4"
)

const xmlType = "text/xml"

// queryForm is the parameters of a query request: those of the verified query
// and of a form body. The signature's own are left out. A parameter given twice
// is refused: whoever reads only one of the two would see another request.
func queryForm(query *sigv4.Query, body []byte) (url.Values, error) {
	form := url.Values{}
	for k, v := range query.All() {
		if strings.HasPrefix(strings.ToLower(k), "x-amz-") {
			continue
		}
		if form.Has(k) {
			return nil, twice(k)
		}
		form.Set(k, v)
	}
	inBody, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Coded("awsapi.form", fault.Invalid, "MalformedQueryString", "The query string is malformed.")
	}
	for k, vs := range inBody {
		if len(vs) > 1 || form.Has(k) {
			return nil, twice(k)
		}
		form[k] = vs
	}
	return form, nil
}

func twice(name string) error {
	return fault.Coded("awsapi.form", fault.Invalid, "MalformedQueryString", "The parameter "+printable(name)+" is given more than once.")
}

// isForm reports whether the body is a query protocol form.
func isForm(r *http.Request) bool {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(t), "application/x-www-form-urlencoded")
}

// marshalXML wraps a result: <XResponse><XResult>…</XResult><ResponseMetadata>.
func marshalXML(namespace, operation, requestID string, result any) ([]byte, error) {
	var b bytes.Buffer
	enc := xml.NewEncoder(&b)
	outer := xml.StartElement{Name: xml.Name{Local: operation + "Response"}}
	if namespace != "" {
		outer.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}
	}
	if err := enc.EncodeToken(outer); err != nil {
		return nil, err
	}
	if result != nil {
		if err := enc.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: operation + "Result"}}); err != nil {
			return nil, err
		}
	}
	meta := struct{ RequestId string }{requestID}
	if err := enc.EncodeElement(meta, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}); err != nil {
		return nil, err
	}
	if err := enc.EncodeToken(outer.End()); err != nil {
		return nil, err
	}
	if err := enc.Flush(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// xmlError is the error document of the query protocol.
func (s *Service) xmlError(c Code, message, requestID string) []byte {
	who := "Sender"
	if c.Status >= 500 {
		who = "Receiver"
	}
	doc := struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Xmlns   string   `xml:"xmlns,attr,omitempty"`
		Error   struct{ Type, Code, Message string }
		ID      string `xml:"RequestId"`
	}{Xmlns: s.Namespace, ID: requestID}
	doc.Error.Type, doc.Error.Code, doc.Error.Message = who, c.Name, message
	b, err := xml.Marshal(doc)
	if err != nil { // strings always marshal
		return []byte("<ErrorResponse/>")
	}
	return b
}
