// Package a2iwire holds the JSON shapes of the Augmented AI runtime's API and their
// constraints, generated from the service model. It never travels below the API layer.
package a2iwire

//go:generate go run fiducial/tools/apigen -model ../../../tools/apigen/model/a2i-runtime-api.json -package a2iwire -out wire_gen.go
