package access

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fiducial/internal/origin"
)

func TestStatementEncoding(t *testing.T) {
	for _, o := range []origin.Origin{
		{Addr: netip.MustParseAddr("192.0.2.7")}, {Addr: netip.MustParseAddr("2001:db8::1")},
		{Addr: netip.MustParseAddr("10.0.0.1"), VPC: "vpc-1", VPCE: "vpce-1"}, {},
	} {
		want := statement{ticket: ticket{nonce: [nonceBytes]byte{1, 2, 3}, expires: time.UnixMicro(1_700_000_000_123_456).UTC(), signIn: "s", assignment: "a"}, origin: o, browser: "b"}
		got, ok := decodeStatement(want.encode())
		diff := cmp.Diff(want, got, cmp.AllowUnexported(statement{}, ticket{}), cmpopts.EquateComparable(netip.Addr{}))
		if !ok || diff != "" {
			t.Errorf("%v\n%s", ok, diff)
		}
		for n := range len(want.encode()) {
			if _, ok := decodeStatement(want.encode()[:n]); ok {
				t.Errorf("the first %d bytes are a statement", n)
			}
		}
		if _, ok := decodeStatement(append(want.encode(), 0)); ok {
			t.Error("a byte more is a statement")
		}
	}
}

func FuzzDecodeStatement(f *testing.F) {
	f.Add((&statement{}).encode())
	f.Add((&statement{origin: origin.Origin{Addr: netip.MustParseAddr("192.0.2.7"), VPCE: "vpce-1"}, browser: "x"}).encode())
	f.Add([]byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, ok := decodeStatement(b); ok {
			if again, ok := decodeStatement(s.encode()); !ok || again != s {
				t.Errorf("%x", b)
			}
		}
		decodeTicket(b)
	})
}
