package s3api

import (
	"encoding/xml"
	"net/http"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

type corsRule struct {
	ID            string   `xml:",omitempty"`
	AllowedHeader []string `xml:",omitempty"`
	AllowedMethod []string `xml:",omitempty"`
	AllowedOrigin []string `xml:",omitempty"`
	ExposeHeader  []string `xml:",omitempty"`
	MaxAgeSeconds int      `xml:",omitempty"`
}

type corsConfiguration struct {
	XMLName  xml.Name   `xml:"CORSConfiguration"`
	Xmlns    string     `xml:"xmlns,attr,omitempty"`
	CORSRule []corsRule `xml:",omitempty"`
}

func (x *exchange) getCORS() error {
	b, err := x.read()
	if err != nil {
		return err
	}
	if len(b.CORS) == 0 {
		return fault.Coded("s3api", fault.NotFound, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
	}
	doc := corsConfiguration{Xmlns: namespace}
	for _, r := range b.CORS {
		doc.CORSRule = append(doc.CORSRule, corsRule{r.ID, r.AllowedHeaders, r.AllowedMethods, r.AllowedOrigins, r.ExposeHeaders, r.MaxAgeSeconds})
	}
	return x.answer(http.StatusOK, &doc)
}

func (x *exchange) putCORS() error {
	var in struct {
		XMLName  xml.Name   `xml:"CORSConfiguration"`
		CORSRule []corsRule `xml:"CORSRule"`
	}
	if err := x.xml(maxSmallXML, false, &in); err != nil {
		return err
	}
	var rules []objects.CORSRule
	for _, r := range in.CORSRule {
		rules = append(rules, objects.CORSRule{
			ID: r.ID, AllowedOrigins: r.AllowedOrigin, AllowedMethods: r.AllowedMethod,
			AllowedHeaders: r.AllowedHeader, ExposeHeaders: r.ExposeHeader, MaxAgeSeconds: r.MaxAgeSeconds,
		})
	}
	if err := x.h.objects.PutBucketCORS(x.r.Context(), &x.call, x.bucket, rules); err != nil {
		return err
	}
	return x.empty(http.StatusOK)
}

func (x *exchange) deleteCORS() error {
	if err := x.h.objects.DeleteBucketCORS(x.r.Context(), &x.call, x.bucket); err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}

type loggingEnabled struct {
	TargetBucket string
	TargetPrefix string
	TargetGrants *struct {
		Inner string `xml:",innerxml"`
	} `xml:",omitempty"`
	TargetObjectKeyFormat *struct {
		PartitionedPrefix *struct{} `xml:",omitempty"`
	} `xml:",omitempty"`
}

type bucketLoggingStatus struct {
	XMLName        xml.Name        `xml:"BucketLoggingStatus"`
	Xmlns          string          `xml:"xmlns,attr,omitempty"`
	LoggingEnabled *loggingEnabled `xml:",omitempty"`
}

func (x *exchange) getLogging() error {
	b, err := x.read()
	if err != nil {
		return err
	}
	doc := bucketLoggingStatus{Xmlns: namespace}
	if b.Logging.Enabled() {
		doc.LoggingEnabled = &loggingEnabled{TargetBucket: b.Logging.TargetBucket, TargetPrefix: b.Logging.TargetPrefix}
	}
	return x.answer(http.StatusOK, &doc)
}

func (x *exchange) putLogging() error {
	var in struct {
		XMLName        xml.Name        `xml:"BucketLoggingStatus"`
		LoggingEnabled *loggingEnabled `xml:"LoggingEnabled"`
	}
	if err := x.xml(maxSmallXML, false, &in); err != nil {
		return err
	}
	var l objects.Logging
	if e := in.LoggingEnabled; e != nil {
		switch {
		case e.TargetGrants != nil:
			return aclNotSupported()
		case e.TargetObjectKeyFormat != nil && e.TargetObjectKeyFormat.PartitionedPrefix != nil:
			return notImplemented("TargetObjectKeyFormat PartitionedPrefix is not supported by this server; use SimplePrefix")
		case e.TargetBucket == "":
			return malformedXML()
		}
		l = objects.Logging{TargetBucket: e.TargetBucket, TargetPrefix: e.TargetPrefix}
	}
	if err := x.h.objects.PutBucketLogging(x.r.Context(), &x.call, x.bucket, l); err != nil {
		return err
	}
	return x.empty(http.StatusOK)
}
