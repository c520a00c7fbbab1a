package s3api

import (
	"encoding/xml"
	"net/http"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// isoMillis is how S3 writes times in documents.
const isoMillis = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(isoMillis) }

type owner struct {
	ID          string
	DisplayName string `xml:",omitempty"`
}

func (x *exchange) owner() owner {
	account := x.h.objects.Account()
	return owner{objects.OwnerID(account), account}
}

type bucketEntry struct {
	Name         string
	CreationDate string
	BucketRegion string
}

func (x *exchange) listBuckets() error {
	limit, err := x.number("max-buckets", 10000, 1)
	if err != nil {
		return err
	}
	list, more, err := x.h.objects.ListBuckets(x.r.Context(), &x.call, x.query("prefix"), x.query("continuation-token"), limit)
	if err != nil {
		return err
	}
	doc := struct {
		XMLName           xml.Name `xml:"ListAllMyBucketsResult"`
		Xmlns             string   `xml:"xmlns,attr"`
		Owner             owner
		Buckets           []bucketEntry `xml:"Buckets>Bucket"`
		ContinuationToken string        `xml:",omitempty"`
		Prefix            string        `xml:",omitempty"`
	}{Xmlns: namespace, Owner: x.owner(), Prefix: x.query("prefix")}
	for _, b := range list {
		doc.Buckets = append(doc.Buckets, bucketEntry{b.Name, stamp(b.CreatedAt), b.Region})
	}
	if more {
		doc.ContinuationToken = list[len(list)-1].Name
	}
	return x.answer(http.StatusOK, &doc)
}

func (x *exchange) createBucket() error {
	var in struct {
		XMLName            xml.Name
		LocationConstraint string
	}
	if err := x.xml(maxSmallXML, true, &in); err != nil {
		return err
	}
	if in.XMLName.Local != "" && in.XMLName.Local != "CreateBucketConfiguration" {
		return malformedXML()
	}
	if x.header("X-Amz-Bucket-Object-Lock-Enabled") == "true" {
		return notImplemented("object lock is not supported by this server")
	}
	if err := x.checkACL(); err != nil {
		return err
	}
	if err := x.h.objects.CreateBucket(x.r.Context(), &x.call, x.bucket, in.LocationConstraint); err != nil {
		return err
	}
	x.w.Header().Set("Location", "/"+x.bucket)
	return x.empty(http.StatusOK)
}

func (x *exchange) headBucket() error {
	b, err := x.h.objects.HeadBucket(x.r.Context(), &x.call, x.bucket)
	if err != nil {
		return err
	}
	x.w.Header().Set("X-Amz-Bucket-Region", b.Region)
	return x.empty(http.StatusOK)
}

func (x *exchange) deleteBucket() error {
	if err := x.h.objects.DeleteBucket(x.r.Context(), &x.call, x.bucket); err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}

// read carries out an operation that looks at the bucket's configuration.
func (x *exchange) read() (*objects.Bucket, error) {
	return x.h.objects.ReadBucket(x.r.Context(), &x.call, x.route.Operation, x.bucket)
}

func (x *exchange) getLocation() error {
	b, err := x.read()
	if err != nil {
		return err
	}
	doc := struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		Xmlns   string   `xml:"xmlns,attr"`
		Region  string   `xml:",chardata"`
	}{Xmlns: namespace}
	if b.Region != "us-east-1" { // whose name, for history's sake, is nothing
		doc.Region = b.Region
	}
	return x.answer(http.StatusOK, &doc)
}

func (x *exchange) getVersioning() error {
	if _, err := x.read(); err != nil {
		return err
	}
	return x.answer(http.StatusOK, &struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
		Xmlns   string   `xml:"xmlns,attr"`
	}{Xmlns: namespace})
}

type grantee struct {
	Xsi  string `xml:"xmlns:xsi,attr"`
	Type string `xml:"xsi:type,attr"`
	owner
}

type aclGrant struct {
	Grantee    grantee
	Permission string
}

type accessControlPolicy struct {
	XMLName xml.Name `xml:"AccessControlPolicy"`
	Xmlns   string   `xml:"xmlns,attr"`
	Owner   owner
	Grants  []aclGrant `xml:"AccessControlList>Grant"`
}

func (x *exchange) answerACL() error {
	o := x.owner()
	return x.answer(http.StatusOK, &accessControlPolicy{
		Xmlns: namespace, Owner: o,
		Grants: []aclGrant{{grantee{"http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", o}, "FULL_CONTROL"}},
	})
}

func (x *exchange) getBucketACL() error {
	if _, err := x.read(); err != nil {
		return err
	}
	return x.answerACL()
}

// checkPutACL accepts a request for the access control list that there is.
func (x *exchange) checkPutACL() error {
	if err := x.checkACL(); err != nil {
		return err
	}
	var in struct {
		XMLName xml.Name
		Grants  []struct {
			Grantee    struct{ ID string }
			Permission string
		} `xml:"AccessControlList>Grant"`
	}
	if err := x.xml(maxSmallXML, true, &in); err != nil {
		return err
	}
	for _, g := range in.Grants {
		if g.Grantee.ID != x.owner().ID || g.Permission != "FULL_CONTROL" {
			return aclNotSupported()
		}
	}
	return nil
}

func (x *exchange) putBucketACL() error {
	if _, err := x.read(); err != nil {
		return err
	}
	if err := x.checkPutACL(); err != nil {
		return err
	}
	return x.empty(http.StatusOK)
}

func (x *exchange) getPolicy() error {
	b, err := x.read()
	if err != nil {
		return err
	}
	if b.Policy == "" {
		return fault.Coded("s3api", fault.NotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.writeHead(http.StatusOK)
	n, _ := x.w.Write([]byte(b.Policy))
	x.sent += int64(n)
	return nil
}

func (x *exchange) putPolicy() error {
	b, err := x.body()
	if err != nil {
		return err
	}
	doc, err := x.document(b, maxPolicy)
	if err != nil {
		return err
	}
	confirm := x.header("X-Amz-Confirm-Remove-Self-Bucket-Access") == "true"
	if err := x.h.objects.PutBucketPolicy(x.r.Context(), &x.call, x.bucket, doc, confirm); err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}

func (x *exchange) deletePolicy() error {
	if err := x.h.objects.DeleteBucketPolicy(x.r.Context(), &x.call, x.bucket); err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}

func (x *exchange) getPolicyStatus() error {
	b, err := x.read()
	if err != nil {
		return err
	}
	public, err := x.h.objects.Public(b)
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, &struct {
		XMLName  xml.Name `xml:"PolicyStatus"`
		Xmlns    string   `xml:"xmlns,attr"`
		IsPublic bool
	}{Xmlns: namespace, IsPublic: public})
}
