// Package policydiff compares the policy engine with two others: versity's
// iamapi/policy, a Go library, and @cloud-copilot/iam-simulate, which runs as a
// program of its own under node. It is a module of its own, so that the product
// neither links nor ships either of them.
//
// Documents and requests are drawn from a grammar, from a seed, so a run can be
// repeated. Where two engines answer differently, the documents are taken apart
// into atoms: one element of one statement (its actions, its resources, its
// principals, or one condition operator with one key). Two things must then hold:
//
//   - each atom on which the engines differ belongs to exactly one class of known
//     disagreement, which says precisely what the atom looks like and what each
//     engine answers;
//   - the other engine's answer to the whole is what its answers to the atoms
//     compose to, so nothing but the atoms explains it.
//
// Whatever is left over fails the test. docs/compatibility.md explains each class.
package policydiff
