package review

import (
	"io"
	"log/slog"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/engine"
)

// Config is what a Service needs.
type Config struct {
	Store   Store
	Workers engine.Workers // who answered; nil: not written
	Events  Events         // nil: ends of loops are logged and nothing else
	Wake    func()         // has the engine look for new jobs; nil: it will by itself
	Region  string
	Account string
	Hosts   []string // further S3 hosts whose URLs grant_read_access takes
	Now     func() time.Time
	Random  io.Reader
	Log     *slog.Logger

	// MaxLoops is how many human loops a flow definition may have in progress;
	// zero: DefaultMaxLoops.
	MaxLoops int64
}

// DefaultMaxLoops bounds the loops in progress of one flow definition.
const DefaultMaxLoops = 100_000

// Service keeps human task UIs, flow definitions and human loops. It also is the
// engine's engine.Reviews.
type Service struct{ Config }

var _ engine.Reviews = (*Service)(nil)

// New makes a Service.
func New(c Config) *Service {
	if c.MaxLoops == 0 {
		c.MaxLoops = DefaultMaxLoops
	}
	return &Service{c}
}

// now is the time as it is kept.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

func (s *Service) arn(kind, name string) string {
	return arn.ARN{Partition: "aws", Service: "sagemaker", Region: s.Region, Account: s.Account, Resource: kind + "/" + name}.String()
}

func invalid(op, member, format string, args ...any) error {
	f := fault.Newf(op, fault.Invalid, member+": "+format, args...)
	f.Field = member
	return f
}
