// Package attack tries to open a worker's media URL in every way that is known,
// against the real server and over the wire as bytes. Every case must be refused
// without a byte of the object, and must leave the record that it names.
//
// The list of cases in docs/security.md is generated from the same table:
//
//	go test ./test/attack -run TestDocument -update
package attack
