package s3api

import (
	"crypto/tls"

	"fiducial/internal/objects"
)

func (x *exchange) logged() bool {
	return x.call.Bucket != nil && x.call.Bucket.Logging.Enabled()
}

// clock takes the time at which the answer begins, where somebody will ask.
func (x *exchange) clock() {
	if x.answered.IsZero() && x.logged() {
		x.answered = x.h.now()
	}
}

// log adds the request to the bucket's access log, if it has one.
func (x *exchange) log() {
	if !x.logged() {
		return
	}
	a := objects.Access{
		Call: &x.call, Bucket: x.bucket, Key: x.name, Status: x.status, ErrorCode: x.errorCode, BytesSent: x.sent, ObjectSize: x.objectSize,
		RequestURI: x.r.Method + " " + objects.RedactURI(x.r.RequestURI) + " " + x.r.Proto,
		Total:      x.h.now().Sub(x.start), TurnAround: x.answered.Sub(x.start), Host: x.r.Host,
	}
	if x.r.TLS != nil {
		a.CipherSuite, a.TLSVersion = tls.CipherSuiteName(x.r.TLS.CipherSuite), tlsVersion(x.r.TLS.Version)
	}
	x.h.objects.LogAccess(&a)
}

func tlsVersion(v uint16) string {
	switch v {
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return ""
}
