// Package kms keeps the keys that others are sealed under: a key management
// service of one account and region in AWS's words.
//
// # What is sealed with what
//
//	root key            a file, the environment, AWS KMS, or Vault/OpenBao Transit
//	└─ keysets          one row each, sealed by the root key (Keysets)
//	   ├─ "sessions"    seals session tokens and secret access keys
//	   └─ "kms"         seals the material of KMS keys
//	      └─ KMS key    a keyset of its own, a new member with each rotation
//	         └─ data keys, handed out once and kept by nobody here
//
// The root key is asked when the server starts and when a keyset is made, and at
// no other time: a remote one that is away for an hour stops nothing that runs.
//
// # Who may
//
// A key has a policy, and no right anywhere else replaces it: the policy names a
// caller, or it delegates to the account, and then the caller's own policies
// decide (package policy, KeyPolicy). A grant is one more statement that allows.
// It is compiled into one and decided by the same engine, so a Deny, a session
// policy and a condition mean what they mean everywhere.
//
// Policies see the encryption context as kms:EncryptionContext:Key and
// kms:EncryptionContextKeys, and kms:ViaService when a service asks on the
// caller's behalf. Two keys of a context may not differ by case alone: policies
// compare names of keys without regard to case, and one would hide the other.
//
// # Ciphertexts
//
//	0x01 ‖ key id (16 bytes) ‖ XAES-256-GCM of the key's keyset
//
// The keyset's ciphertext names the version that opens it. Associated data are the
// first 17 bytes and the encryption context, sorted, each text with its length.
//
// # States
//
//	          DisableKey              ScheduleKeyDeletion
//	Enabled ─────────────▶ Disabled ───────────────────▶ PendingDeletion
//	   ▲  ◀───────────────    ▲ ◀────────────────────────      │ the day comes
//	   │     EnableKey            CancelKeyDeletion             ▼
//	   └ ScheduleKeyDeletion leads from Enabled, too         Deleted
//
// A deleted key leaves its row without material, so that whoever asks learns that
// what was sealed under it is lost, and when.
//
// # Freshness
//
// Keys, policies and grants are held in memory with the material opened. Every
// change increases one generation number in the same transaction. A change made by
// this process counts from the moment it is answered; another replica reads the
// number when it is older than pollEvery and forgets everything if it differs. If
// it cannot be read for maxStale, uses fail.
package kms
