package objects

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// Bucket is a bucket and its configuration.
type Bucket struct {
	Name      string
	Region    string
	Account   string // the owner
	CreatedBy string // ARN of the principal who made it
	CreatedAt time.Time
	Policy    string // the policy document as it was put; "" for none
	CORS      []CORSRule
	Logging   Logging

	Encryption    DefaultEncryption
	Notifications []Notification
}

// CORSRule lets pages of other origins use the bucket.
type CORSRule struct {
	ID             string   `json:",omitempty"`
	AllowedOrigins []string `json:",omitempty"`
	AllowedMethods []string `json:",omitempty"`
	AllowedHeaders []string `json:",omitempty"`
	ExposeHeaders  []string `json:",omitempty"`
	MaxAgeSeconds  int      `json:",omitempty"`
}

// Logging says where the bucket's access log goes. Without a target there is none.
type Logging struct {
	TargetBucket string `json:",omitempty"`
	TargetPrefix string `json:",omitempty"`
}

// Enabled reports whether the bucket has an access log.
func (l Logging) Enabled() bool { return l.TargetBucket != "" }

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// CheckBucketName applies S3's rules for the name of a new bucket.
// Source: "General purpose bucket naming rules" in the S3 User Guide.
func CheckBucketName(name string) error {
	bad := func(why string) error {
		return fault.Coded("objects.CheckBucketName", fault.Invalid, "InvalidBucketName", "The specified bucket is not valid: "+why)
	}
	switch {
	case len(name) < 3 || len(name) > 63:
		return bad("a bucket name has 3 to 63 characters")
	case !bucketName.MatchString(name):
		return bad("a bucket name has lower-case letters, digits, periods and hyphens, and begins and ends with a letter or digit")
	case strings.Contains(name, ".."), strings.Contains(name, ".-"), strings.Contains(name, "-."):
		return bad("a period in a bucket name has a letter or digit on both sides")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return bad("a bucket name is not an IP address")
	}
	for _, p := range [...]string{"xn--", "sthree-"} {
		if strings.HasPrefix(name, p) {
			return bad("the prefix " + p + " is reserved")
		}
	}
	for _, s := range [...]string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, s) {
			return bad("the suffix " + s + " is reserved")
		}
	}
	return nil
}
