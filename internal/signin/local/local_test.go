package local

import (
	"context"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/signin"
	"fiducial/internal/workforce"
)

// memory is a Store and a Directory.
type memory struct {
	records map[string]Record
	policy  workforce.PasswordPolicy
	status  map[string]string
}

func newMemory() *memory {
	return &memory{map[string]Record{}, workforce.DefaultPolicy, map[string]string{}}
}

func (m *memory) Password(_ context.Context, w string) (Record, error) {
	r, ok := m.records[w]
	if !ok {
		return r, fault.Newf("test", fault.NotFound, "no password")
	}
	return r, nil
}
func (m *memory) SavePassword(_ context.Context, r Record) error { m.records[r.Worker] = r; return nil }
func (m *memory) DropPassword(_ context.Context, w string) error { delete(m.records, w); return nil }
func (m *memory) SetStatus(_ context.Context, w, s string) error { m.status[w] = s; return nil }
func (m *memory) Worker(_ context.Context, id string) (workforce.Worker, error) {
	return workforce.Worker{ID: id, Pool: "pool"}, nil
}
func (m *memory) Pool(context.Context, string) (workforce.UserPool, error) {
	return workforce.UserPool{Policy: m.policy}, nil
}

var cheap = Parameters{Memory: 64, Time: 1, Threads: 1}

func service(t *testing.T, m *memory, c Config) *Service {
	t.Helper()
	c.Store, c.Directory, c.Now = m, m, time.Now
	if c.Parameters == (Parameters{}) {
		c.Parameters = cheap
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheck(t *testing.T) {
	m := newMemory()
	s := service(t, m, Config{})
	ctx := context.Background()
	if err := s.SetPassword(ctx, "w", "Correct-Horse-9", true); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPassword(ctx, "t", "Correct-Horse-9", false); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, worker string
		password     signin.Password
		want         signin.Verdict
	}{
		{"right", "w", "Correct-Horse-9", signin.Right},
		{"wrong", "w", "correct-horse-9", signin.Wrong},
		{"empty", "w", "", signin.Wrong},
		{"temporary", "t", "Correct-Horse-9", signin.Temporary},
		{"without a password", "x", "Correct-Horse-9", signin.Wrong},
		{"nobody", "", "Correct-Horse-9", signin.Wrong},
	} {
		if v, err := s.Check(ctx, c.worker, c.password); err != nil || v != c.want {
			t.Errorf("%s: %v, %v", c.name, v, err)
		}
	}
	if m.status["w"] != workforce.Confirmed || m.status["t"] != workforce.ForceChangePassword {
		t.Errorf("statuses %v", m.status)
	}
	if strings.Contains(m.records["w"].Hash, "Horse") || m.records["w"].Hash == m.records["t"].Hash {
		t.Error("the hash shows the password, or has no salt")
	}
	if err := s.Forget(ctx, "w"); err != nil {
		t.Fatal(err)
	}
	if v, _ := s.Check(ctx, "w", "Correct-Horse-9"); v != signin.Wrong {
		t.Error("a forgotten password still works")
	}
}

// A hash made with other parameters is made anew when its password is right.
func TestParametersAreRaised(t *testing.T) {
	m := newMemory()
	ctx := context.Background()
	if err := service(t, m, Config{}).SetPassword(ctx, "w", "Correct-Horse-9", true); err != nil {
		t.Fatal(err)
	}
	old := m.records["w"].Hash
	s := service(t, m, Config{Parameters: Parameters{Memory: 128, Time: 2, Threads: 1}})
	if v, err := s.Check(ctx, "w", "Wrong-Horse-99"); v != signin.Wrong || err != nil || m.records["w"].Hash != old {
		t.Errorf("a wrong password changed the hash: %v, %v", v, err)
	}
	for range 2 {
		if v, err := s.Check(ctx, "w", "Correct-Horse-9"); v != signin.Right || err != nil {
			t.Errorf("%v, %v", v, err)
		}
	}
	if !strings.Contains(m.records["w"].Hash, "m=128,t=2,p=1") {
		t.Errorf("hash %s", m.records["w"].Hash)
	}
}

func TestPolicy(t *testing.T) {
	loose := workforce.PasswordPolicy{MinimumLength: 8}
	for _, c := range []struct {
		name   string
		policy workforce.PasswordPolicy
		p      string
		ok     bool
	}{
		{"good", workforce.DefaultPolicy, "Correct-Horse-9", true},
		{"short", workforce.DefaultPolicy, "Ab1-", false},
		{"no symbol", workforce.DefaultPolicy, "CorrectHorse9", false},
		{"the pool asks for less", loose, "correcthorse", true},
		{"common", loose, "Password123", false},
		{"one character", loose, "aaaaaaaaaa", false},
		{"a row", loose, "abcdefghij", false},
		{"a row backwards", loose, "9876543210", false},
		{"control character", loose, "correct\x00horse", false},
		{"not UTF-8", loose, "correct\xff\xfehorse", false},
		{"too long", loose, strings.Repeat("ab1-", 65), false},
		{"letters of any script", loose, "пароль-для-входа", true},
	} {
		m := newMemory()
		m.policy = c.policy
		err := service(t, m, Config{}).SetPassword(context.Background(), "w", signin.Password(c.p), true)
		if (err == nil) != c.ok || err != nil && fault.CodeOf(err) != "InvalidPasswordException" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A flood waits its turn, and beyond Waiting is turned away at once: accounts
// that do not exist as well, since they cost the same.
func TestFlood(t *testing.T) {
	s := service(t, newMemory(), Config{Parallel: 1, Waiting: 1})
	hold, err := s.turn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	waits := make(chan error)
	go func() { _, err := s.Check(ctx, "", "x"); waits <- err }()
	for len(s.waiting) < 2 {
		time.Sleep(time.Millisecond)
	}
	if _, err := s.Check(context.Background(), "", "x"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the third caller: %v, want Unavailable", err)
	}
	cancel()
	if err := <-waits; !fault.Is(err, fault.Unavailable) {
		t.Errorf("the one who gave up: %v", err)
	}
	hold()
	if v, err := s.Check(context.Background(), "", "x"); err != nil || v != signin.Wrong {
		t.Errorf("afterwards: %v, %v", v, err)
	}
}

func TestParse(t *testing.T) {
	const good = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if _, _, _, err := parse(good); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"", "x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=64", "m=99999999", 1), strings.Replace(good, "m=64", "m=0", 1),
		strings.Replace(good, "t=1", "t=1000", 1), strings.Replace(good, "p=1", "p=0", 1),
		strings.TrimSuffix(good, "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"), good + "$", strings.Replace(good, "$AAAAAAAAAAAAAAAAAAAAAA$", "$!$", 1),
	} {
		if _, _, _, err := parse(s); err == nil {
			t.Errorf("parse took %q", s)
		}
	}
}

// The parameters that are used cost what the package documentation says.
func BenchmarkHash(b *testing.B) {
	s, err := New(Config{Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.hash(context.Background(), "Correct-Horse-9"); err != nil {
			b.Fatal(err)
		}
	}
}
