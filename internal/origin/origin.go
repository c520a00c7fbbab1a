// Package origin says where a request verifiably came from.
//
// An origin is the address at the other end of the connection, or what a hop
// that the configuration trusts by address reports about the hop before it.
// A header that any client can send never counts. Nothing else in this program
// reads a forwarding header.
//
// A request that came through a declared VPC endpoint has the endpoint and its VPC
// in its origin, and an address that is the VPC's. That it came so is known by
// the listener, by the PROXY header of a load balancer, or by the hop that
// reported it; what claims it and cannot be so is a Refusal and has no origin.
//
// An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) is that IPv4 address.
// An origin without a valid address is untrusted: no address condition in any
// policy holds for it, negated ones included, because the key is absent and the
// caller treats an absent address as refused where binding is asked for.
package origin

import (
	"context"
	"net/netip"
)

// Origin is where a request came from. The zero value is "unknown".
type Origin struct {
	Addr   netip.Addr // unmapped, without zone; invalid when unknown
	Secure bool       // TLS between the client and us, or a trusted hop that says so
	VPC    string     // vpc-…, when the request came through a VPC endpoint
	VPCE   string     // vpce-…, likewise
}

// Known reports whether the address was established.
func (o Origin) Known() bool { return o.Addr.IsValid() }

func (o Origin) String() string {
	s := "unknown"
	if o.Addr.IsValid() {
		s = o.Addr.String()
	}
	if o.VPCE != "" {
		s += " via " + o.VPCE
	}
	return s
}

type contextKey struct{}

// With returns a context that carries o.
func With(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, contextKey{}, o)
}

// From returns the context's origin; unknown if there is none.
func From(ctx context.Context) Origin {
	o, _ := ctx.Value(contextKey{}).(Origin)
	return o
}
