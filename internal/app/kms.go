package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fiducial/internal/config"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/kms"
	"fiducial/internal/kms/rootkey"
	"fiducial/internal/store"
)

// rootKeyFile is where the root key is if no setting says otherwise.
const rootKeyFile = "root-key"

// openKeys opens the root key, the keysets that it seals, and with them the KMS's
// master and the session keys. It comes after the database and before all services.
func (a *App) openKeys(ctx context.Context) (sessions *envelope.Keyset, err error) {
	rows := store.NewKMS(a.db)
	there, err := rows.SealedKeysets(ctx)
	if err != nil {
		return nil, err
	}
	o := rootkey.Options{MayCreate: len(there) == 0}
	if len(there) > 0 {
		o.Sealed = there[0].Root
	}
	source := a.settings.RootKey
	if source == "" {
		source = config.KeySource("file:" + filepath.Join(a.settings.DataDir, rootKeyFile))
	}
	root, err := rootkey.Open(ctx, rootkey.Source(source), o)
	if err != nil {
		return nil, err
	}
	var old kms.Root
	if a.settings.RootKeyOld != "" {
		if old, err = rootkey.Open(ctx, rootkey.Source(a.settings.RootKeyOld), rootkey.Options{Sealed: o.Sealed}); err != nil {
			return nil, err
		}
	}
	if a.keysets, err = kms.OpenKeysets(ctx, rows, root, old, a.now); err != nil {
		return nil, err
	}
	a.log.Info("root key", "id", root.ID())
	if a.master, err = a.keysets.Open(ctx, kms.MasterKeyset, envelope.New); err != nil {
		return nil, err
	}
	return a.sessionKeys(ctx)
}

// sessionFile is where earlier versions kept the session keys, open.
const sessionFile = "session-keyset.json"

// sessionKeys opens the keys of session tokens and secret access keys. A file of an
// earlier version is taken over once: it is stored sealed and then removed, for an
// open copy beside it would make the sealing vain.
func (a *App) sessionKeys(ctx context.Context) (*envelope.Keyset, error) {
	path := filepath.Join(a.settings.DataDir, sessionFile)
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a.keysets.Open(ctx, kms.SessionKeyset, envelope.New)
	}
	if err != nil {
		return nil, fault.E("app.sessionKeys", fault.Unavailable, "the file "+path+" cannot be read", err)
	}
	file, err := envelope.Load(path)
	if err != nil {
		return nil, err
	}
	stored, err := a.keysets.Open(ctx, kms.SessionKeyset, func() (*envelope.Keyset, error) { return file, nil })
	if err != nil {
		return nil, err
	}
	same, err := sameKeyset(file, stored)
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, fault.Newf("app.sessionKeys", fault.Invalid, "%s holds other session keys than the database does. If it was put there by mistake, remove it; if secret access keys stop working without it, the database is not the one it belongs to", path)
	}
	if err := os.Remove(path); err != nil {
		return nil, fault.E("app.sessionKeys", fault.Unavailable, "the file "+path+" is now in the database, sealed, and cannot be removed", err)
	}
	a.log.Info("the session keys are in the database now, sealed by the root key; their file was removed", "file", path)
	return stored, nil
}

// sameKeyset reports whether y opens what x seals.
func sameKeyset(x, y *envelope.Keyset) (bool, error) {
	sealed, err := x.Seal(nil, "the same keyset")
	if err != nil {
		return false, err
	}
	_, err = y.Open(sealed, "the same keyset")
	return err == nil, nil
}

// keyService makes the KMS.
func (a *App) keyService() {
	a.kms = kms.New(kms.Options{Store: store.NewKMS(a.db), IAM: a.iam, Master: a.master, Region: a.settings.Region, Account: a.settings.AccountID,
		Alone: a.alone(), Now: a.now, Rand: a.rand, Log: a.log.With("part", "kms")})
}
