// Package review is Amazon Augmented AI (A2I): human review of single data
// objects, whenever a program asks for it.
//
// A human task UI is a worker task template that the account keeps. A flow
// definition (AWS also says "human review workflow") says which work team reviews,
// with which human task UI, and where the results go. A human loop is one object
// under review.
//
// A flow definition's tasks run through the same queue, portal and grants as a
// labeling job's: it owns a job that stays InProgress, and starting a human loop
// adds one data object to it, whose line is the loop's InputContent. What a job
// does with a consolidated batch, this package does with a loop: it writes
// output.json and ends the loop.
//
//	flow definition:  Initializing ──► Active ──► Deleting ──► (gone)
//	                       └─────────► Failed
//
//	human loop:       InProgress ──► Completed   all answers are there, or the first
//	                       │  │                  of them and the time was up
//	                       │  └────► Failed      Expired: nobody answered in time
//	                       └─► Stopping ► Stopped
//	                  (start) ─────► Failed      ValidationError: the template cannot
//	                                             show this input
//
// A loop is Stopping while somebody works on it: that task goes on until it is
// submitted, given back or its time is up, and what was answered is written.
//
// The end of a loop is an event, told at least once (see Event).
package review
