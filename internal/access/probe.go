package access

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/origin"
)

// A probe finds out where a worker's browser reaches the media endpoint from. A
// browser with two address families, or with two ways out, may reach the portal by
// one address and the media by another; and only the endpoint that will be asked
// for the media can say which.
//
//  1. The portal seals a ticket: for this sign-in and this assignment, with a
//     nonce of its own, good for ProbeLife.
//  2. The page takes the ticket to the media endpoint, which seals a statement: the
//     ticket's content, the origin that the request verifiably came from, and the
//     digest of the browser secret that it carried.
//  3. The page takes the statement to the portal, which opens it: its own ticket,
//     for this sign-in and assignment, not out of date, and never seen before.
//
// Ticket and statement are sealed under the keyset that all replicas share, each
// for a purpose of its own, so that any replica can play either part, neither can
// be made, read or changed elsewhere, and one is never taken for the other.

// ProbeLife is how long a ticket, and then a statement of it, may be used.
const ProbeLife = 90 * time.Second

// Sealer seals small texts; *envelope.Keyset is one.
type Sealer interface {
	Seal(plaintext []byte, purpose string) (string, error)
	Open(sealed, purpose string) ([]byte, error)
}

const (
	ticketPurpose    = "fiducial probe ticket "
	statementPurpose = "fiducial probe statement "

	ticketFormat    = 1
	statementFormat = 1
	nonceBytes      = 16
	maxProbe        = 2048 // characters of a ticket or statement
)

// ticket is a question that the portal wants answered.
type ticket struct {
	nonce      [nonceBytes]byte
	expires    time.Time
	signIn     string
	assignment string
}

func (t *ticket) append(b []byte) []byte {
	b = append(b, t.nonce[:]...)
	b = binary.AppendVarint(b, t.expires.UnixMicro())
	return appendTexts(b, t.signIn, t.assignment)
}

func (t *ticket) read(r *reader) {
	r.fill(t.nonce[:])
	t.expires = time.UnixMicro(r.number()).UTC()
	t.signIn, t.assignment = r.text(), r.text()
}

// statement is the answer.
type statement struct {
	ticket
	origin  origin.Origin
	browser string
}

func (s *statement) encode() []byte {
	b := s.append([]byte{statementFormat})
	addr := ""
	if s.origin.Known() {
		addr = s.origin.Addr.String()
	}
	return appendTexts(b, addr, s.origin.VPC, s.origin.VPCE, s.browser)
}

func decodeTicket(b []byte) (ticket, bool) {
	var t ticket
	r := reader{b: b}
	r.format(ticketFormat)
	t.read(&r)
	return t, r.end()
}

func decodeStatement(b []byte) (statement, bool) {
	var s statement
	r := reader{b: b}
	r.format(statementFormat)
	s.read(&r)
	if addr := r.text(); addr != "" {
		var err error
		if s.origin.Addr, err = netip.ParseAddr(addr); err != nil {
			r.bad = true
		}
	}
	s.origin.VPC, s.origin.VPCE, s.browser = r.text(), r.text(), r.text()
	return s, r.end()
}

// Ticket makes the ticket of a probe.
func (p *Places) Ticket(signIn, assignment string) (string, error) {
	t := ticket{expires: p.o.Now().Add(ProbeLife), signIn: signIn, assignment: assignment}
	p.randMu.Lock()
	_, err := io.ReadFull(p.o.Rand, t.nonce[:])
	p.randMu.Unlock()
	if err != nil {
		return "", fault.E("access.Ticket", fault.Internal, "", err)
	}
	return p.o.Keys.Seal(t.append([]byte{ticketFormat}), ticketPurpose+p.o.Account)
}

// Witness answers a ticket: it seals what the media endpoint has seen of the
// request that brought it, its origin and the digest of its browser secret.
func (p *Places) Witness(sealed string, o origin.Origin, browser string) (string, error) {
	const op = "access.Witness"
	t, ok := ticket{}, false
	if len(sealed) <= maxProbe {
		if plain, err := p.o.Keys.Open(sealed, ticketPurpose+p.o.Account); err == nil {
			t, ok = decodeTicket(plain)
		}
	}
	switch {
	case !ok:
		return "", fault.Coded(op, fault.Denied, "InvalidTicket", "This is no ticket of this portal.")
	case !p.o.Now().Before(t.expires):
		return "", fault.Coded(op, fault.Denied, "ExpiredTicket", "The ticket is out of date.")
	case !o.Known():
		return "", fault.Coded(op, fault.Denied, "UnknownOrigin", "The address that this request came from is not known.")
	}
	s := statement{ticket: t, origin: o, browser: browser}
	return p.o.Keys.Seal(s.encode(), statementPurpose+p.o.Account)
}

// open opens a statement that the sign-in brings for the assignment.
func (p *Places) open(sealed, signIn, assignment string) (statement, error) {
	const op = "access.Arrive"
	s, ok := statement{}, false
	if len(sealed) <= maxProbe {
		if plain, err := p.o.Keys.Open(sealed, statementPurpose+p.o.Account); err == nil {
			s, ok = decodeStatement(plain)
		}
	}
	switch {
	case !ok || !s.origin.Known():
		return s, fault.Coded(op, fault.Denied, "InvalidStatement", "This is no statement of the media endpoint.")
	case s.signIn != signIn || s.assignment != assignment:
		return s, fault.Coded(op, fault.Denied, "InvalidStatement", "The statement of the media endpoint is for another sign-in or task.")
	case !p.o.Now().Before(s.expires):
		return s, fault.Coded(op, fault.Denied, CodeStale, "The statement of the media endpoint is out of date.")
	}
	return s, nil
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return b
}

// reader reads what append wrote; bad remembers the first thing amiss.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fill(into []byte) {
	if len(r.b) < len(into) {
		r.bad, r.b = true, nil
		return
	}
	r.b = r.b[copy(into, r.b):]
}

func (r *reader) format(want byte) {
	var f [1]byte
	r.fill(f[:])
	r.bad = r.bad || f[0] != want
}

func (r *reader) number() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	size, n := binary.Uvarint(r.b)
	if n <= 0 || size > uint64(len(r.b)-n) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[n : n+int(size)])
	r.b = r.b[n+int(size):]
	return s
}

func (r *reader) end() bool { return !r.bad && len(r.b) == 0 }
