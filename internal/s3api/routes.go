package s3api

import (
	"net/http"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

// Level is how much of bucket and key a request names.
type Level uint8

// The levels.
const (
	OnService Level = iota
	OnBucket
	OnObject
)

// Route leads from a request to an operation. Sub is the query parameter that
// tells it from others of the same method, Copy whether it has a copy source.
type Route struct {
	Method    string
	Level     Level
	Sub       string
	Copy      bool
	Operation int // index into objects.Operations
	handle    func(*exchange) error
}

type routeKey struct {
	method string
	level  Level
	sub    string
	copy   bool
}

// Routes returns every route.
func Routes() []Route {
	return []Route{
		{http.MethodGet, OnService, "", false, objects.OpListBuckets, (*exchange).listBuckets},

		{http.MethodPut, OnBucket, "", false, objects.OpCreateBucket, (*exchange).createBucket},
		{http.MethodHead, OnBucket, "", false, objects.OpHeadBucket, (*exchange).headBucket},
		{http.MethodDelete, OnBucket, "", false, objects.OpDeleteBucket, (*exchange).deleteBucket},
		{http.MethodGet, OnBucket, "", false, objects.OpListObjects, (*exchange).listObjects},
		{http.MethodGet, OnBucket, "list-type", false, objects.OpListObjectsV2, (*exchange).listObjectsV2},
		{http.MethodGet, OnBucket, "versions", false, objects.OpListObjectVersions, (*exchange).listVersions},
		{http.MethodGet, OnBucket, "uploads", false, objects.OpListMultipartUploads, (*exchange).listUploads},
		{http.MethodGet, OnBucket, "location", false, objects.OpGetBucketLocation, (*exchange).getLocation},
		{http.MethodGet, OnBucket, "versioning", false, objects.OpGetBucketVersioning, (*exchange).getVersioning},
		{http.MethodGet, OnBucket, "acl", false, objects.OpGetBucketACL, (*exchange).getBucketACL},
		{http.MethodPut, OnBucket, "acl", false, objects.OpPutBucketACL, (*exchange).putBucketACL},
		{http.MethodGet, OnBucket, "policy", false, objects.OpGetBucketPolicy, (*exchange).getPolicy},
		{http.MethodPut, OnBucket, "policy", false, objects.OpPutBucketPolicy, (*exchange).putPolicy},
		{http.MethodDelete, OnBucket, "policy", false, objects.OpDeleteBucketPolicy, (*exchange).deletePolicy},
		{http.MethodGet, OnBucket, "policyStatus", false, objects.OpGetBucketPolicyStatus, (*exchange).getPolicyStatus},
		{http.MethodGet, OnBucket, "cors", false, objects.OpGetBucketCORS, (*exchange).getCORS},
		{http.MethodPut, OnBucket, "cors", false, objects.OpPutBucketCORS, (*exchange).putCORS},
		{http.MethodDelete, OnBucket, "cors", false, objects.OpDeleteBucketCORS, (*exchange).deleteCORS},
		{http.MethodGet, OnBucket, "logging", false, objects.OpGetBucketLogging, (*exchange).getLogging},
		{http.MethodPut, OnBucket, "logging", false, objects.OpPutBucketLogging, (*exchange).putLogging},
		{http.MethodGet, OnBucket, "encryption", false, objects.OpGetBucketEncryption, (*exchange).getEncryption},
		{http.MethodPut, OnBucket, "encryption", false, objects.OpPutBucketEncryption, (*exchange).putEncryption},
		{http.MethodDelete, OnBucket, "encryption", false, objects.OpDeleteBucketEncryption, (*exchange).deleteEncryption},
		{http.MethodGet, OnBucket, "notification", false, objects.OpGetBucketNotification, (*exchange).getNotification},
		{http.MethodPut, OnBucket, "notification", false, objects.OpPutBucketNotification, (*exchange).putNotification},
		{http.MethodPost, OnBucket, "delete", false, objects.OpDeleteObjects, (*exchange).deleteObjects},

		{http.MethodGet, OnObject, "", false, objects.OpGetObject, (*exchange).getObject},
		{http.MethodHead, OnObject, "", false, objects.OpHeadObject, (*exchange).headObject},
		{http.MethodGet, OnObject, "acl", false, objects.OpGetObjectACL, (*exchange).getObjectACL},
		{http.MethodPut, OnObject, "acl", false, objects.OpPutObjectACL, (*exchange).putObjectACL},
		{http.MethodGet, OnObject, "tagging", false, objects.OpGetObjectTagging, (*exchange).getObjectTagging},
		{http.MethodPut, OnObject, "", false, objects.OpPutObject, (*exchange).putObject},
		{http.MethodPut, OnObject, "", true, objects.OpCopyObject, (*exchange).copyObject},
		{http.MethodDelete, OnObject, "", false, objects.OpDeleteObject, (*exchange).deleteObject},
		{http.MethodPost, OnObject, "uploads", false, objects.OpCreateMultipartUpload, (*exchange).createUpload},
		{http.MethodPut, OnObject, "uploadId", false, objects.OpUploadPart, (*exchange).uploadPart},
		{http.MethodPut, OnObject, "uploadId", true, objects.OpUploadPartCopy, (*exchange).copyPart},
		{http.MethodPost, OnObject, "uploadId", false, objects.OpCompleteMultipartUpload, (*exchange).completeUpload},
		{http.MethodDelete, OnObject, "uploadId", false, objects.OpAbortMultipartUpload, (*exchange).abortUpload},
		{http.MethodGet, OnObject, "uploadId", false, objects.OpListParts, (*exchange).listParts},
	}
}

func routeMap() map[routeKey]*Route {
	m := map[routeKey]*Route{}
	for _, r := range Routes() {
		m[routeKey{r.Method, r.Level, r.Sub, r.Copy}] = &r
	}
	return m
}

// subResource says of a name whether it is a sub-resource of S3, and whether all of
// its operations are built that S3 has for this server's buckets and objects. Of the
// others those that have a route are.
func subResource(name string) (known, built bool) {
	switch name {
	case "list-type", "versions", "uploads", "location", "versioning", "acl", "policy", "policyStatus", "cors", "logging", "encryption", "notification", "delete", "uploadId":
		return true, true
	case "accelerate", "analytics", "intelligent-tiering", "inventory", "lifecycle", "metrics", "object-lock",
		"ownershipControls", "publicAccessBlock", "replication", "requestPayment", "tagging", "website", "legal-hold", "retention",
		"restore", "select", "torrent", "attributes", "append", "renameObject", "session", "metadataTable", "metadataConfiguration", "abac":
		return true, false
	}
	return false, false
}

// match finds the route of an authenticated request.
func (h *Handler) match(x *exchange) (*Route, error) {
	k := routeKey{method: x.r.Method}
	switch {
	case x.name != "":
		k.level = OnObject
	case x.bucket != "":
		k.level = OnBucket
	}
	for name := range x.sig.Query.All() {
		known, built := subResource(name)
		switch {
		case !known:
		case !built && h.routes[routeKey{k.method, k.level, name, false}] == nil:
			return nil, notImplemented("the sub-resource \"" + name + "\" is not supported by this server")
		case k.sub == "" || name == "uploadId" || k.sub == "list-type":
			k.sub = name
		}
	}
	if k.method == http.MethodPut && k.level == OnObject && k.sub != "acl" {
		k.copy = x.header("X-Amz-Copy-Source") != ""
	}
	if r := h.routes[k]; r != nil {
		return r, nil
	}
	if k.method == http.MethodPost && k.level == OnBucket && strings.HasPrefix(x.r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, notImplemented("uploads by HTML form (POST Object) are not supported by this server")
	}
	return nil, fault.Coded("s3api", fault.Invalid, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

func notImplemented(what string) error {
	return fault.Coded("s3api", fault.Unsupported, "NotImplemented", "A header or parameter you provided implies functionality that is not implemented: "+what)
}
