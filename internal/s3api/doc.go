// Package s3api speaks S3's REST protocol. It translates and never decides: what
// S3's operations do, who may do them and what is put on record is in objects.
//
// A request goes through one pipeline: where it leads (path style, or virtual-host
// style below the configured domain), which operation it is (Routes), who signed
// it (sigv4 and iam), the operation, and an answer or an error document.
// Authentication comes before everything that would tell a stranger whether a
// bucket exists.
//
// The query that was verified is the one that handlers read (sigv4.Request.Query);
// nothing here reads r.URL.Query. Forwarding headers are nobody's business here:
// the origin is in the context.
//
// Source: "Amazon S3 REST API" in the S3 API Reference.
package s3api
