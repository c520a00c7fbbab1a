// Command fiducial is a self-hosted data-labelling service that speaks the
// SageMaker Ground Truth API and guards the data while people look at it.
package main

import (
	"os"

	"fiducial/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
