// Package kmswire holds the JSON shapes of KMS's API and their constraints,
// generated from the service model. It never travels below the API layer.
package kmswire

//go:generate go run fiducial/tools/apigen -model ../../../tools/apigen/model/kms-api.json -package kmswire -out wire_gen.go
