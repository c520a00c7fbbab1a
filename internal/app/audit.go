package app

import (
	"context"
	"io"
	"os"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/audit/export"
	"fiducial/internal/config"
	"fiducial/internal/fault"
)

// How often the chores of the record are done.
const (
	auditTendEvery  = time.Second
	auditFilesEvery = time.Hour
	auditHeadEvery  = time.Hour

	// auditSettled is how long after its end a day is exported: the last request
	// that began in it is over then.
	auditSettled = 15 * time.Minute
)

func (a *App) openAudit() (*audit.File, error) {
	return audit.Open(audit.Options{Dir: a.settings.AuditDir(), Heads: a.settings.AuditHeads(), Now: a.now, Rand: a.rand,
		Log: a.log.With("part", "audit"), SyncEach: a.settings.Audit.Sync == config.AuditSyncRecord})
}

// runAudit makes the record durable every second and looks whether it can still
// be written. The head goes to the log now and then: wherever logs are collected,
// it is out of reach of whoever changes files here.
func (a *App) runAudit(ctx context.Context) error {
	var failing bool
	var logged time.Time
	every(ctx, auditTendEvery, func() {
		err := a.audit.Tend()
		switch {
		case err != nil && !failing:
			a.log.Error("the audit record cannot be kept; grants and media are refused", "error", err)
		case err == nil && failing:
			a.log.Info("the audit record can be kept again")
		}
		failing = err != nil
		if now := a.now(); err == nil && now.Sub(logged) >= auditHeadEvery {
			logged = now
			a.log.Info("audit head", "head", a.audit.Head().String())
		}
	})
	return nil
}

// runAuditFiles exports finished days and retires old files, where the settings
// say so.
func (a *App) runAuditFiles(ctx context.Context) error {
	done := map[string]bool{}
	every(ctx, auditFilesEvery, func() {
		if err := a.exportAudit(ctx, done); err != nil {
			if ctx.Err() == nil {
				a.log.Error("the audit record was not exported; nothing of it is retired", "to", a.settings.Audit.Export, "error", err)
			}
			return
		}
		if a.settings.Audit.RetentionDays == 0 {
			return
		}
		removed, err := a.audit.Retire(ctx, a.now().AddDate(0, 0, -a.settings.Audit.RetentionDays))
		for _, name := range removed {
			a.log.Info("a file of the audit record was retired", "file", name)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("old files of the audit record were not all retired", "error", err)
		}
	})
	return nil
}

// exportAudit puts every finished day of every chain in the folder into the
// bucket, unless it is there. done holds what is known to be there.
func (a *App) exportAudit(ctx context.Context, done map[string]bool) error {
	bucket, prefix := a.settings.Audit.Bucket()
	if bucket == "" {
		return nil
	}
	dir := a.settings.AuditDir()
	chains, _, err := audit.Files(dir)
	if err != nil {
		return err
	}
	for chain := range chains {
		o := export.Options{Format: export.CloudTrail, Region: a.settings.Region, Account: a.settings.AccountID, Part: chain}
		days, err := export.Days(dir, audit.Between{Chain: chain})
		if err != nil {
			return err
		}
		for _, day := range days {
			end := day.AddDate(0, 0, 1)
			key := prefix + o.Name(day, true)
			if done[key] || a.now().Before(end.Add(auditSettled)) {
				continue
			}
			if err := a.exportDay(ctx, bucket, key, audit.Between{From: day, To: end, Chain: chain}, o); err != nil {
				return err
			}
			done[key] = true
		}
	}
	return nil
}

func (a *App) exportDay(ctx context.Context, bucket, key string, when audit.Between, o export.Options) error {
	_, err := a.objects.Head(ctx, a.iam.Root(), bucket, key)
	if err == nil || !fault.Is(err, fault.NotFound) {
		return err
	}
	tmp, err := os.CreateTemp(a.settings.DataDir, "audit-export-*")
	if err != nil {
		return err
	}
	defer func() {
		_ = tmp.Close()
		_ = os.Remove(tmp.Name())
	}()
	n, err := export.Write(ctx, tmp, a.settings.AuditDir(), when, true, o)
	if err != nil || n == 0 {
		return err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return a.objects.Put(ctx, a.iam.Root(), bucket, key, "application/json", tmp)
}
