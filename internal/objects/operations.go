package objects

import "fiducial/internal/arn"

// Target is what kind of resource an operation is about.
type Target uint8

// The kinds of resource.
const (
	OnAccount Target = iota // all buckets
	OnBucket
	OnKey
)

// Operation is one row of the table of what S3 can be asked for.
type Operation struct {
	Name    string   // as the API names it
	Action  string   // the IAM action on the target
	Source  string   // the IAM action on the source of a copy, if there is one
	Target  Target   // which resource the action is about
	LogName string   // in server access logs
	Event   string   // what a bucket tells of it
	Media   bool     // a session made for a media URL may do it
	Extra   []string // further IAM actions that some requests need, named in the operation's code
}

// The operations, in the order of Operations.
const (
	OpListBuckets = iota
	OpCreateBucket
	OpHeadBucket
	OpDeleteBucket
	OpGetBucketLocation
	OpGetBucketVersioning
	OpGetBucketACL
	OpPutBucketACL
	OpGetBucketPolicy
	OpPutBucketPolicy
	OpDeleteBucketPolicy
	OpGetBucketPolicyStatus
	OpGetBucketCORS
	OpPutBucketCORS
	OpDeleteBucketCORS
	OpGetBucketLogging
	OpPutBucketLogging
	OpGetBucketEncryption
	OpPutBucketEncryption
	OpDeleteBucketEncryption
	OpGetBucketNotification
	OpPutBucketNotification
	OpListObjects
	OpListObjectsV2
	OpListObjectVersions
	OpListMultipartUploads
	OpGetObject
	OpHeadObject
	OpGetObjectACL
	OpPutObjectACL
	OpGetObjectTagging
	OpPutObject
	OpCopyObject
	OpDeleteObject
	OpDeleteObjects
	OpCreateMultipartUpload
	OpUploadPart
	OpUploadPartCopy
	OpCompleteMultipartUpload
	OpAbortMultipartUpload
	OpListParts
	numOperations
)

// Operations returns the table. The IAM actions are those of "Actions,
// resources, and condition keys for Amazon S3" in the Service Authorization
// Reference; the log names those of "Amazon S3 server access log format".
func Operations() [numOperations]Operation { return table }

// table is never written.
var table = [numOperations]Operation{
	OpListBuckets:             {Name: "ListBuckets", Action: "s3:ListAllMyBuckets", Target: OnAccount, LogName: "REST.GET.SERVICE"},
	OpCreateBucket:            {Name: "CreateBucket", Action: "s3:CreateBucket", Target: OnBucket, LogName: "REST.PUT.BUCKET"},
	OpHeadBucket:              {Name: "HeadBucket", Action: "s3:ListBucket", Target: OnBucket, LogName: "REST.HEAD.BUCKET"},
	OpDeleteBucket:            {Name: "DeleteBucket", Action: "s3:DeleteBucket", Target: OnBucket, LogName: "REST.DELETE.BUCKET"},
	OpGetBucketLocation:       {Name: "GetBucketLocation", Action: "s3:GetBucketLocation", Target: OnBucket, LogName: "REST.GET.LOCATION"},
	OpGetBucketVersioning:     {Name: "GetBucketVersioning", Action: "s3:GetBucketVersioning", Target: OnBucket, LogName: "REST.GET.VERSIONING"},
	OpGetBucketACL:            {Name: "GetBucketAcl", Action: "s3:GetBucketAcl", Target: OnBucket, LogName: "REST.GET.ACL"},
	OpPutBucketACL:            {Name: "PutBucketAcl", Action: "s3:PutBucketAcl", Target: OnBucket, LogName: "REST.PUT.ACL"},
	OpGetBucketPolicy:         {Name: "GetBucketPolicy", Action: "s3:GetBucketPolicy", Target: OnBucket, LogName: "REST.GET.BUCKETPOLICY"},
	OpPutBucketPolicy:         {Name: "PutBucketPolicy", Action: "s3:PutBucketPolicy", Target: OnBucket, LogName: "REST.PUT.BUCKETPOLICY"},
	OpDeleteBucketPolicy:      {Name: "DeleteBucketPolicy", Action: "s3:DeleteBucketPolicy", Target: OnBucket, LogName: "REST.DELETE.BUCKETPOLICY"},
	OpGetBucketPolicyStatus:   {Name: "GetBucketPolicyStatus", Action: "s3:GetBucketPolicyStatus", Target: OnBucket, LogName: "REST.GET.BUCKETPOLICYSTATUS"},
	OpGetBucketCORS:           {Name: "GetBucketCors", Action: "s3:GetBucketCORS", Target: OnBucket, LogName: "REST.GET.CORS"},
	OpPutBucketCORS:           {Name: "PutBucketCors", Action: "s3:PutBucketCORS", Target: OnBucket, LogName: "REST.PUT.CORS"},
	OpDeleteBucketCORS:        {Name: "DeleteBucketCors", Action: "s3:PutBucketCORS", Target: OnBucket, LogName: "REST.DELETE.CORS"},
	OpGetBucketLogging:        {Name: "GetBucketLogging", Action: "s3:GetBucketLogging", Target: OnBucket, LogName: "REST.GET.LOGGING_STATUS"},
	OpPutBucketLogging:        {Name: "PutBucketLogging", Action: "s3:PutBucketLogging", Target: OnBucket, LogName: "REST.PUT.LOGGING_STATUS"},
	OpGetBucketEncryption:     {Name: "GetBucketEncryption", Action: "s3:GetEncryptionConfiguration", Target: OnBucket, LogName: "REST.GET.ENCRYPTION"},
	OpPutBucketEncryption:     {Name: "PutBucketEncryption", Action: "s3:PutEncryptionConfiguration", Target: OnBucket, LogName: "REST.PUT.ENCRYPTION"},
	OpDeleteBucketEncryption:  {Name: "DeleteBucketEncryption", Action: "s3:PutEncryptionConfiguration", Target: OnBucket, LogName: "REST.DELETE.ENCRYPTION"},
	OpGetBucketNotification:   {Name: "GetBucketNotificationConfiguration", Action: "s3:GetBucketNotification", Target: OnBucket, LogName: "REST.GET.NOTIFICATION"},
	OpPutBucketNotification:   {Name: "PutBucketNotificationConfiguration", Action: "s3:PutBucketNotification", Target: OnBucket, LogName: "REST.PUT.NOTIFICATION"},
	OpListObjects:             {Name: "ListObjects", Action: "s3:ListBucket", Target: OnBucket, LogName: "REST.GET.BUCKET"},
	OpListObjectsV2:           {Name: "ListObjectsV2", Action: "s3:ListBucket", Target: OnBucket, LogName: "REST.GET.BUCKET"},
	OpListObjectVersions:      {Name: "ListObjectVersions", Action: "s3:ListBucketVersions", Target: OnBucket, LogName: "REST.GET.BUCKETVERSIONS"},
	OpListMultipartUploads:    {Name: "ListMultipartUploads", Action: "s3:ListBucketMultipartUploads", Target: OnBucket, LogName: "REST.GET.UPLOADS"},
	OpGetObject:               {Name: "GetObject", Action: "s3:GetObject", Target: OnKey, LogName: "REST.GET.OBJECT", Media: true, Extra: []string{"s3:ListBucket"}},
	OpHeadObject:              {Name: "HeadObject", Action: "s3:GetObject", Target: OnKey, LogName: "REST.HEAD.OBJECT", Media: true, Extra: []string{"s3:ListBucket"}},
	OpGetObjectACL:            {Name: "GetObjectAcl", Action: "s3:GetObjectAcl", Target: OnKey, LogName: "REST.GET.ACL", Extra: []string{"s3:ListBucket"}},
	OpPutObjectACL:            {Name: "PutObjectAcl", Action: "s3:PutObjectAcl", Target: OnKey, LogName: "REST.PUT.ACL", Extra: []string{"s3:ListBucket"}},
	OpGetObjectTagging:        {Name: "GetObjectTagging", Action: "s3:GetObjectTagging", Target: OnKey, LogName: "REST.GET.OBJECT_TAGGING", Extra: []string{"s3:ListBucket"}},
	OpPutObject:               {Name: "PutObject", Action: "s3:PutObject", Target: OnKey, LogName: "REST.PUT.OBJECT", Event: "ObjectCreated:Put"},
	OpCopyObject:              {Name: "CopyObject", Action: "s3:PutObject", Source: "s3:GetObject", Target: OnKey, LogName: "REST.COPY.OBJECT", Event: "ObjectCreated:Copy", Extra: []string{"s3:ListBucket"}},
	OpDeleteObject:            {Name: "DeleteObject", Action: "s3:DeleteObject", Target: OnKey, LogName: "REST.DELETE.OBJECT", Event: "ObjectRemoved:Delete"},
	OpDeleteObjects:           {Name: "DeleteObjects", Action: "s3:DeleteObject", Target: OnKey, LogName: "REST.POST.MULTI_OBJECT_DELETE", Event: "ObjectRemoved:Delete"},
	OpCreateMultipartUpload:   {Name: "CreateMultipartUpload", Action: "s3:PutObject", Target: OnKey, LogName: "REST.POST.UPLOADS"},
	OpUploadPart:              {Name: "UploadPart", Action: "s3:PutObject", Target: OnKey, LogName: "REST.PUT.PART"},
	OpUploadPartCopy:          {Name: "UploadPartCopy", Action: "s3:PutObject", Source: "s3:GetObject", Target: OnKey, LogName: "REST.COPY.PART", Extra: []string{"s3:ListBucket"}},
	OpCompleteMultipartUpload: {Name: "CompleteMultipartUpload", Action: "s3:PutObject", Target: OnKey, LogName: "REST.POST.UPLOAD", Event: "ObjectCreated:CompleteMultipartUpload"},
	OpAbortMultipartUpload:    {Name: "AbortMultipartUpload", Action: "s3:AbortMultipartUpload", Target: OnKey, LogName: "REST.DELETE.UPLOAD"},
	OpListParts:               {Name: "ListParts", Action: "s3:ListMultipartUploadParts", Target: OnKey, LogName: "REST.GET.UPLOAD"},
}

// resource returns the ARN that an operation on bucket and key is about.
func (op *Operation) resource(bucket, key string) string {
	switch op.Target {
	case OnBucket:
		return arn.S3Object(bucket, "")
	case OnKey:
		return arn.S3Object(bucket, key)
	}
	return "*"
}
