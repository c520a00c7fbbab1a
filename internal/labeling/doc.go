// Package labeling has the words of labeling jobs and the rules that hold
// whatever stores, serves or runs them.
//
// A job goes through these states, and no others:
//
//	Initializing ──► InProgress ──► Completed
//	     │    │          │  └─────► Failed      (expired after 30 days)
//	     │    └──► Stopping ◄┘
//	     │            └───────────► Stopped
//	     └────────────────────────► Failed      (with a FailureReason)
//
// A data object is one line of the job's input manifest. It is
//
//	queued ──► ready ──► answered ──► labeled
//	             ▲└────► failed          │
//	          requeued ◄─────────────────┘ (the workers disagree, or an answer
//	                                        was discarded: quality control)
//
// or, in a job with a pre-annotation function of its own,
//
//	queued ──► preparing ──► ready ──► answered ──► labeled
//	               └──► excluded └────────┴────────► failed
//
// Only MaxConcurrentTaskCount objects are preparing or ready at once. A ready object wants
// answers of as many workers as the job asks for; each worker who holds it has
// one assignment, a lease:
//
//	active ──► submitted ──► discarded (by quality control)
//	   ├─────► released  (the worker may get the object again)
//	   ├─────► declined  (the worker never gets it again)
//	   └─────► expired   (the time limit passed, or the job stopped)
//
// At every instant live assignments + answers <= wanted <= as many as the job
// asks for, and no worker answers an object twice.
//
// Gold questions are data objects with a negative index. They have assignments
// and nothing else: no count, no batch, no place in the output.
//
// Children: manifest reads input manifests, queue hands out assignments,
// consolidate makes one label of several answers, output builds the files of
// the output tree, quality watches workers and agreement, engine drives jobs
// from state to state, review keeps flow definitions, whose human loops are the
// objects of jobs that are not shown as such.
package labeling
