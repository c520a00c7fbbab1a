package policy

import (
	"errors"
	"testing"

	"fiducial/internal/fault"
)

func faultOf(t *testing.T, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("%v is no fault", err)
	}
	return f
}
