// Package console is the requester's side of the portal's port: labeling jobs,
// why a worker can or cannot open an object, and the record of who saw what.
//
// It decides nothing. A page is what an operation of the API answered for the
// person who is signed in: the same operation, with the same IAM action, the same
// policies and the same record as when the AWS CLI asks. Who may not describe a
// labeling job with the CLI may not see it here.
//
// # Who may pass
//
//   - An access key of the account, root's or an IAM user's, signs in with its
//     secret. The secret is compared and forgotten: it is in no cookie, page or
//     log.
//   - A session is 256 random bits in a cookie that no script can read and no
//     other site can send; only its SHA-256 is stored. It lives for at most
//     accesskey.Lasts, at the address that it began from, and ends at once when its
//     key is made inactive or deleted, or its user is.
//   - What changes something needs the session's CSRF token as well, and must
//     come from this site.
//   - A worker's session is nothing here, and the other way round.
//   - Attempts to sign in are limited for each access key and each address.
//
// The workforce's CIDRs are for workers: they do not apply here. Limit requesters
// with aws:SourceIp conditions in their policies, which do.
package console
