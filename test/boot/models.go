package boot

import (
	"embed"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// models is what clients of before mid-2025, such as Debian 13's, do not know of
// SageMaker's model: the IpAddressType of a workforce. AWS's clients read such
// additions from the folder AWS_DATA_PATH; newer ones get none and are as they
// come.
//
//go:embed models
var models embed.FS

// dataPath is a folder with what the clients here do not know; "" if they do.
func dataPath(t testing.TB) string {
	if upToDate() {
		return ""
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, models); err != nil {
		t.Fatal(err)
	}
	return dir + "/models"
}

var upToDate = sync.OnceValue(func() bool {
	const ask = "import botocore.session as s; s.get_session().get_service_model('sagemaker').shape_for('WorkforceIpAddressType')"
	return exec.Command(python(), "-c", ask).Run() == nil
})
