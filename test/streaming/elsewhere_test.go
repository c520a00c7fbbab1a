package streaming

import (
	_ "embed"
	"testing"

	"fiducial/test/boot"
)

//go:embed testdata/elsewhere.py
var elsewhereProgram string

// elsewhere starts a second server, for which the first is SNS and SQS of AWS.
func elsewhere(t *testing.T, first *boot.Server) {
	s := boot.Start(t, boot.Options{Args: []string{"--elsewhere-topics", "arn:aws:sns:*:*:far-*", "--sns-endpoint", first.API, "--sqs-endpoint", first.API},
		Env: []string{"AWS_ACCESS_KEY_ID=" + boot.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + boot.SecretAccessKey, "AWS_REGION=" + boot.Region,
			"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "NO_PROXY=*"}})
	s.Make(boot.Setup{Workers: []boot.Account{ana}})
	boot.Must(t)(s.Python(elsewhereProgram, first.API))
}
