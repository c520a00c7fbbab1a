// Package local keeps workers' passwords in the database of the server itself,
// as Argon2id hashes.
//
// A hash is kept with its parameters, in the usual text form
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>
//
// so that parameters can be raised: a password whose hash has others is hashed
// again when it is next checked and right. 19 MiB and two passes are what OWASP
// recommends as a minimum for Argon2id. At most Parallel hashes are computed at
// a time and at most Waiting callers wait for their turn; whoever comes then is
// told to try again. So a flood of sign-ins holds up sign-in, and costs
// Parallel times 19 MiB, but does not take the server's memory.
package local

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"fiducial/internal/fault"
	"fiducial/internal/signin"
	"fiducial/internal/workforce"
)

// Record is a stored password.
type Record struct {
	Worker    string
	Hash      string
	Temporary bool
	SetAt     time.Time
}

// Store keeps records. What is not there is a NotFound fault.
type Store interface {
	Password(ctx context.Context, worker string) (Record, error)
	SavePassword(ctx context.Context, r Record) error
	DropPassword(ctx context.Context, worker string) error
}

// Directory knows the workers and what their user pool asks of passwords.
type Directory interface {
	Worker(ctx context.Context, id string) (workforce.Worker, error)
	Pool(ctx context.Context, id string) (workforce.UserPool, error)
	// SetStatus is told whether the password is temporary.
	SetStatus(ctx context.Context, workerID, status string) error
}

// Parameters of Argon2id.
type Parameters struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultParameters are used for new hashes.
var DefaultParameters = Parameters{Memory: 19 * 1024, Time: 2, Threads: 1}

const (
	saltLen = 16
	hashLen = 32
	// Bounds on what a stored hash may ask for: whoever can write to the
	// database must not thereby take the server's memory.
	maxMemory = 256 * 1024
	maxTime   = 16
)

// Config is what a Service needs.
type Config struct {
	Store      Store
	Directory  Directory
	Now        func() time.Time
	Random     io.Reader
	Parameters Parameters // zero: DefaultParameters
	Parallel   int        // hashes at a time; 0: 4
	Waiting    int        // callers that wait; 0: 64
}

// Service implements signin.Passwords.
type Service struct {
	Config
	turns   chan struct{}
	waiting chan struct{}
	dummy   string // a hash of nothing anybody knows
}

// New makes a Service.
func New(c Config) (*Service, error) {
	if c.Parameters == (Parameters{}) {
		c.Parameters = DefaultParameters
	}
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.Waiting <= 0 {
		c.Waiting = 64
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &Service{Config: c, turns: make(chan struct{}, c.Parallel), waiting: make(chan struct{}, c.Parallel+c.Waiting)}
	secret := make([]byte, hashLen)
	if _, err := io.ReadFull(c.Random, secret); err != nil {
		return nil, fault.E("local.New", fault.Internal, "", err)
	}
	var err error
	s.dummy, err = s.hash(context.Background(), signin.Password(secret))
	return s, err
}

// Check implements signin.Passwords.
func (s *Service) Check(ctx context.Context, worker string, p signin.Password) (signin.Verdict, error) {
	r := Record{Hash: s.dummy}
	known := false
	if worker != "" {
		found, err := s.Store.Password(ctx, worker)
		switch {
		case err == nil:
			r, known = found, true
		case !fault.Is(err, fault.NotFound):
			return signin.Wrong, err
		}
	}
	same, err := s.verify(ctx, r.Hash, p)
	switch {
	case err != nil:
		return signin.Wrong, err
	case !known || !same:
		return signin.Wrong, nil
	case r.Temporary:
		return s.temporary(ctx, r)
	}
	if got, _, _, err := parse(r.Hash); err == nil && got != s.Parameters {
		if r.Hash, err = s.hash(ctx, p); err != nil {
			return signin.Wrong, err
		}
		if err := s.Store.SavePassword(ctx, r); err != nil {
			return signin.Wrong, err
		}
	}
	return signin.Right, nil
}

// temporary answers for a temporary password, which is good for as many days
// as the worker's pool says.
func (s *Service) temporary(ctx context.Context, r Record) (signin.Verdict, error) {
	pool, err := s.pool(ctx, r.Worker)
	if err != nil {
		return signin.Wrong, err
	}
	if days := pool.Policy.TemporaryValidityDays; days > 0 && s.Now().Sub(r.SetAt) > time.Duration(days)*24*time.Hour {
		return signin.Wrong, nil
	}
	return signin.Temporary, nil
}

func (s *Service) pool(ctx context.Context, worker string) (workforce.UserPool, error) {
	w, err := s.Directory.Worker(ctx, worker)
	if err != nil {
		return workforce.UserPool{}, err
	}
	return s.Directory.Pool(ctx, w.Pool)
}

// SetPassword implements signin.Passwords.
func (s *Service) SetPassword(ctx context.Context, worker string, p signin.Password, permanent bool) error {
	pool, err := s.pool(ctx, worker)
	if err != nil {
		return err
	}
	if err := accept(&pool.Policy, p); err != nil {
		return err
	}
	h, err := s.hash(ctx, p)
	if err != nil {
		return err
	}
	if err := s.Store.SavePassword(ctx, Record{Worker: worker, Hash: h, Temporary: !permanent, SetAt: s.Now()}); err != nil {
		return err
	}
	status := workforce.Confirmed
	if !permanent {
		status = workforce.ForceChangePassword
	}
	return s.Directory.SetStatus(ctx, worker, status)
}

// Forget removes a worker's password.
func (s *Service) Forget(ctx context.Context, worker string) error {
	return s.Store.DropPassword(ctx, worker)
}

// accept checks what the pool asks, and refuses what everybody tries first.
func accept(policy *workforce.PasswordPolicy, p signin.Password) error {
	refuse := func(why string) error {
		return fault.Coded("local.SetPassword", fault.Invalid, "InvalidPasswordException", "Password did not conform with policy: "+why)
	}
	text := string(p)
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return refuse("Password must be text without control characters")
	case len(text) > signin.MaxPassword:
		return refuse(fmt.Sprintf("Password too long: at most %d bytes", signin.MaxPassword))
	}
	if err := policy.Check(text); err != nil {
		return err
	}
	if monotonous(text) || common[strings.ToLower(text)] {
		return refuse("Password is too easy to guess")
	}
	return nil
}

// monotonous reports whether every character is the last one plus the same step:
// aaaaaaaa, 12345678, hgfedcba.
func monotonous(s string) bool {
	r := []rune(s)
	if len(r) < 2 {
		return true
	}
	step := r[1] - r[0]
	if step < -1 || step > 1 {
		return false
	}
	for i := 2; i < len(r); i++ {
		if r[i]-r[i-1] != step {
			return false
		}
	}
	return true
}

// common are the passwords of eight characters and more that head every list of
// those in use.
var common = map[string]bool{
	"password": true, "password1": true, "password12": true, "password123": true, "passw0rd": true, "p@ssw0rd": true, "p@ssword1": true,
	"1234567890": true, "123456789a": true, "1q2w3e4r": true, "1q2w3e4r5t": true, "1qaz2wsx": true, "qwertyuiop": true, "qwerty123": true,
	"qwerty12": true, "asdfghjkl": true, "iloveyou": true, "iloveyou1": true, "sunshine": true, "princess": true, "football": true,
	"baseball": true, "welcome1": true, "welcome123": true, "letmein1": true, "letmein123": true, "admin123": true, "administrator": true,
	"changeme": true, "changeme1": true, "superman": true, "trustno1": true, "abcd1234": true, "abc12345": true, "a1b2c3d4": true,
	"11223344": true, "12341234": true, "00000000": true, "87654321": true, "q1w2e3r4": true, "zaq12wsx": true, "whatever": true, "starwars": true,
}

// turn waits until a hash may be computed.
func (s *Service) turn(ctx context.Context) (done func(), err error) {
	busy := fault.E("local.turn", fault.Unavailable, "Too many people are signing in. Try again in a moment.", nil)
	select {
	case s.waiting <- struct{}{}:
	default:
		return nil, busy
	}
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns; <-s.waiting }, nil
	case <-ctx.Done():
		<-s.waiting
		return nil, fault.E("local.turn", fault.Unavailable, "the request was given up", ctx.Err())
	}
}

func (s *Service) hash(ctx context.Context, p signin.Password) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(s.Random, salt); err != nil {
		return "", fault.E("local.hash", fault.Internal, "", err)
	}
	done, err := s.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	a := s.Parameters
	sum := argon2.IDKey([]byte(p), salt, a.Time, a.Memory, a.Threads, hashLen)
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.Memory, a.Time, a.Threads, enc(salt), enc(sum)), nil
}

func (s *Service) verify(ctx context.Context, stored string, p signin.Password) (bool, error) {
	a, salt, want, err := parse(stored)
	if err != nil {
		return false, err
	}
	done, err := s.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	got := argon2.IDKey([]byte(p), salt, a.Time, a.Memory, a.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// parse reads a stored hash.
func parse(stored string) (a Parameters, salt, sum []byte, err error) {
	bad := fault.E("local.parse", fault.Internal, "", fmt.Errorf("a stored password hash is malformed"))
	f := strings.Split(stored, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return a, nil, nil, bad
	}
	if n, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &a.Memory, &a.Time, &a.Threads); n != 3 || err != nil {
		return a, nil, nil, bad
	}
	if a.Memory < 8 || a.Memory > maxMemory || a.Time < 1 || a.Time > maxTime || a.Threads < 1 {
		return a, nil, nil, bad
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(f[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(f[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 64 {
		return a, nil, nil, bad
	}
	return a, salt, sum, nil
}
