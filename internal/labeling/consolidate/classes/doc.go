// Package classes makes one category of several workers' votes, or any number
// of them where a task allows that.
//
// By default with Dawid and Skene's method: every worker has a confusion
// matrix (how often they say b where a is true), every item a probability for
// each category that somebody gave it, and each is estimated from the other in
// turn. Workers who gave few answers borrow from the matrix of all workers
// together, without which the method loses to a plain vote.
//
// Only what somebody voted for can be an item's category, so that memory and
// time follow the votes, however many categories and workers there are.
//
// # Confidence
//
// A confidence is an estimate of the chance that the label is right: the mean
// of the posterior probability and of the share of the votes. The posterior
// alone is too sure, since it takes workers' mistakes for independent, and
// hard items make everybody err alike; the share alone is not sure enough,
// since it takes all workers for equally good. Their mean has no constant that
// could be fitted to one set of data. Where an item has a single vote, the
// share says nothing, and the confidence is the posterior: how good the worker
// is elsewhere. Where no item has a second vote it is 0.
package classes
