package app

import (
	"context"

	"fiducial/internal/envelope"
	"fiducial/internal/kms"
	"fiducial/internal/objects"
)

// objectKeyset is the name of the keyset that seals the data keys of SSE-S3.
const objectKeyset = "objects"

// sealing are the keysets under which this server seals what it keeps itself.
type sealing struct{ objects, columns *envelope.Keyset }

func (a *App) sealing(ctx context.Context) (s sealing, err error) {
	if s.objects, err = a.keysets.Open(ctx, objectKeyset, envelope.NewWrapping); err != nil {
		return s, err
	}
	s.columns, err = a.keysets.Open(ctx, kms.ColumnKeyset, envelope.NewWrapping)
	return s, err
}

// sealColumns seals what an earlier version left open in the database.
func (a *App) sealColumns(ctx context.Context) error {
	n, err := a.labeling.Reseal(ctx)
	if n > 0 {
		a.log.Info("answers in the database are sealed now", "rows", n)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("not all answers in the database are sealed yet; this goes on at the next start", "error", err)
	}
	<-ctx.Done()
	return nil
}

// objectKeys lets S3 seal objects under keys of the KMS, as S3 (kms:ViaService)
// and with the rights of its callers.
type objectKeys struct{ via *kms.Via }

var _ objects.Keys = objectKeys{}

func (k objectKeys) GenerateDataKey(ctx context.Context, call *objects.Call, keyID string, ec map[string]string) (objects.DataKey, error) {
	d, err := k.via.GenerateDataKey(ctx, call.Caller, keyID, ec)
	return objects.DataKey{KeyARN: d.KeyARN, Plaintext: d.Plaintext, Sealed: d.Ciphertext}, err
}

func (k objectKeys) Decrypt(ctx context.Context, call *objects.Call, sealed []byte, ec map[string]string) (envelope.Secret, error) {
	d, err := k.via.Decrypt(ctx, call.Caller, sealed, ec)
	return d.Plaintext, err
}
