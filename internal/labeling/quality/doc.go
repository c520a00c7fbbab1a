// Package quality decides about workers and answers. It is pure: it reads
// facts and says what is to be done; the engine does it.
//
// # Gold questions
//
// A gold question is an object whose label the requester knows. Of so many
// tasks that a worker gets (Gold.OneTaskIn), one is gold, at a place in each
// run that nobody can guess (Due): the worker's tasks that ended with an
// answer or a decline are counted, and a hash of the job's secret, the worker
// and the run chooses. What would give a question away is looked for before
// the job begins (Tells), and what workers are told is left to do counts gold
// questions in (Ahead).
//
// # Rules
//
// A rule is collector, condition, actions. Facts come in one by one (an
// answer, a skip, an answer compared with its label); State keeps what the
// collectors need of each worker, never more than MaxWindow of a kind; Judge
// takes a fact in and says which rules act. A rule that has acted on a worker
// starts counting anew.
//
//	fact ──► State (collectors) ──► conditions ──► decisions
//
// # Overlap
//
// How far the answers to an object agree is one number from 0 to 1, for every
// family of tasks (Agree). Below Overlap.MinAgreement another worker is asked,
// up to as many as the job asks for.
package quality
