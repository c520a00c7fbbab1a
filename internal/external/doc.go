// Package external lets Fiducial work with buckets that another S3 store keeps:
// AWS, MinIO, Ceph RGW, SeaweedFS, another Fiducial, or any S3.
//
// The settings name buckets and say where each one is (Setting). Everything that
// reads or writes such a bucket goes through objects, which decides by the
// caller's policies and puts it on record, and only then asks Service for the
// bytes: the keys that Fiducial holds for a store are never a way around a role.
//
// # Two ways for media
//
// Via "direct", a worker's browser gets the bytes from the store itself. The
// URL is signed with a session of that store's own STS, whose session policy
// names the objects of one task and the worker's origin. There is one session
// for each worker, origin and assignment; it is kept until it nears its end, and
// URLs are signed with it here. What the store then enforces is the store's:
//
//   - a direct URL cannot be called back before it expires (Setting.Expires);
//   - who opened it stands in the store's log and not in this one's; the grant's
//     record has the session's access key id, to join the two by;
//   - what the store cannot hold it is not asked to: media for teams whose grants
//     are bound to the browser, origins behind a VPC endpoint where the store is
//     not AWS, keys that its policy language cannot say, all go the other way.
//
// Via "fiducial", the URL leads to this server, which decides at each request,
// fetches the bytes from the store and passes them on. Every promise of embedded
// storage holds then, at the price of the bytes' way through here.
//
// # Nothing is claimed that was not tried
//
// A store counts as one that binds only after Probe has tried to open, in every
// way known, what must not open (see Report). Until then, and whenever a probe
// fails, media of the store's buckets pass through here, or are refused where
// the setting says so (Setting.Unbound).
package external
