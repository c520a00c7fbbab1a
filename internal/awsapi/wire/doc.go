// Package wire holds the JSON shapes of SageMaker's API and their constraints,
// generated from the service model. It never travels below the API layer.
package wire

//go:generate go run fiducial/tools/apigen -model ../../../tools/apigen/model/groundtruth-api.json -package wire -out wire_gen.go
