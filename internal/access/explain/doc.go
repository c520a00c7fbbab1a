// Package explain answers why a worker can or cannot open an object of a job from
// an address: every gate in order, whether it passed or refused and by which
// statement or setting, and what to change.
//
// It decides nothing itself. Each gate asks the function that the real path asks
// (the workforce whom it admits, access what a grant would be bound to, iam for a
// session of the role and for the decision about GetObject), so that an
// explanation cannot disagree with what happens. It asks questions only: no grant
// is made, nothing is recorded or changed.
//
// # Gates
//
//	network      the address, or the address and VPC endpoint, can be a request's origin
//	sign-in      the workforce admits it (SourceIpConfig, WorkforceVpcConfig)
//	account      the worker is enabled
//	membership   the worker is in the job's work team
//	job          the job is in progress
//	assignment   the worker holds a task that shows the object, or would be given it
//	binding      the work team's access rules let a URL be made for the origin
//	revocation   nothing that the grant would rest on has ended
//	trust        the execution role's trust policy lets the server assume it
//	role         the execution role's policies
//	session      the session policy of the URL: one object, one origin
//	bucket       the bucket's policy
//	object       the object is there
//	key          the policy of the KMS key that seals the object
//
// After a gate that refuses, the later ones are not reached. Role, session and
// bucket are decided together, as one request: they are all reached, and each of
// them tells whether it refuses.
//
// A question may name two origins: where the task was opened, which is what the
// URL is bound to, and where the request for the object comes from. So it also
// answers for a URL that was passed on, and for a worker who has moved.
package explain
