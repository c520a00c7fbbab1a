package rootkey

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/kms"
)

// remoteLimit bounds one call to a service that keeps the root key.
const remoteLimit = 15 * time.Second

var awsKey = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+$`)

// awsRoot is a key in AWS KMS. The purpose is bound as the encryption context
// fiducial=purpose, so that the key's policy can be held to it.
type awsRoot struct {
	arn    string
	client *awskms.Client
}

// openAWS makes a client with the credentials that the AWS SDK finds: environment,
// shared files, or the machine's role.
func openAWS(ctx context.Context, rest string) (kms.Root, error) {
	arn, query, _ := strings.Cut(rest, "?")
	m := awsKey.FindStringSubmatch(arn)
	if m == nil {
		return nil, refused("aws-kms: expected the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID; not an alias, which may come to mean another key), got %q", arn)
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(values) > 1 || len(values) == 1 && !values.Has("endpoint") {
		return nil, refused("aws-kms: expected nothing but endpoint=URL after the question mark")
	}
	// A proxy of the environment is honoured, as every AWS client does.
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(m[1]), config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(remoteLimit)))
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "root-key: aws-kms: the AWS settings of this machine cannot be read", err)
	}
	r := &awsRoot{arn: arn}
	var base *string
	if e := values.Get("endpoint"); e != "" {
		u, err := endpoint(e)
		if err != nil {
			return nil, err
		}
		base = aws.String(u.String())
	}
	r.client = awskms.NewFromConfig(cfg, func(o *awskms.Options) { o.BaseEndpoint = base })
	return r, nil
}

func (r *awsRoot) ID() string { return "aws-kms:" + r.arn }

func (r *awsRoot) context(purpose string) map[string]string {
	return map[string]string{"fiducial": purpose}
}

func (r *awsRoot) failed(err error) error {
	return fault.E("rootkey.aws-kms", fault.Unavailable, "root-key: AWS KMS does not use the key "+r.arn+" for this server: it cannot be reached, the credentials do not allow it, or the key is disabled", err)
}

func (r *awsRoot) Wrap(ctx context.Context, plain envelope.Secret, purpose string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*remoteLimit)
	defer cancel()
	out, err := r.client.Encrypt(ctx, &awskms.EncryptInput{KeyId: &r.arn, Plaintext: []byte(plain.Reveal()), EncryptionContext: r.context(purpose)})
	if err != nil {
		return nil, r.failed(err)
	}
	return out.CiphertextBlob, nil
}

func (r *awsRoot) Unwrap(ctx context.Context, wrapped []byte, purpose string) (envelope.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*remoteLimit)
	defer cancel()
	out, err := r.client.Decrypt(ctx, &awskms.DecryptInput{KeyId: &r.arn, CiphertextBlob: wrapped, EncryptionContext: r.context(purpose)})
	if err != nil {
		return envelope.Secret{}, r.failed(err)
	}
	return envelope.NewSecret(string(out.Plaintext)), nil
}
