package origin

import (
	"net/http"
	"net/netip"
	"strings"

	"fiducial/internal/fault"
)

// Resolver establishes origins. Its zero value trusts nobody and knows no VPC.
type Resolver struct {
	trusted  []netip.Prefix
	networks *Networks
}

// NewResolver makes a resolver that believes the forwarding headers of peers
// within the given addresses or CIDRs, and of nobody else.
func NewResolver(trusted []string) (*Resolver, error) { return New(trusted, &Networks{}) }

// New makes a resolver that knows the networks, and believes the forwarding
// headers of peers within the given addresses or CIDRs and of endpoints' hops.
//
// A trusted range that holds a whole subnet of a VPC is refused: whoever sits
// there could then claim any address.
func New(trusted []string, networks *Networks) (*Resolver, error) {
	const op = "origin.New"
	r := &Resolver{networks: networks}
	for _, s := range trusted {
		p, err := parsePrefix(s)
		if err != nil {
			return nil, fault.Newf(op, fault.Invalid, "trusted proxy %q is neither an IP address nor a CIDR", s)
		}
		if p.Bits() == 0 {
			return nil, fault.Newf(op, fault.Invalid, "trusted proxy %q is everybody: name the addresses of your proxies", s)
		}
		r.trusted = append(r.trusted, p)
	}
	for _, v := range networks.vpcs {
		for id, list := range v.subnets {
			for _, subnet := range list {
				if t, ok := r.covers(subnet); ok {
					return nil, fault.Newf(op, fault.Invalid, "%s holds the whole of %s (%s) and is trusted to report addresses: "+
						"whoever is in that subnet could claim any; name the proxies' addresses alone", t, id, subnet)
				}
			}
		}
	}
	return r, nil
}

// covers finds a trusted range that holds all of a subnet of more than one address.
func (r *Resolver) covers(subnet netip.Prefix) (netip.Prefix, bool) {
	if subnet.IsSingleIP() {
		return netip.Prefix{}, false
	}
	for _, p := range r.trusted {
		if p.Bits() <= subnet.Bits() && p.Contains(subnet.Addr()) {
			return p, true
		}
	}
	for _, h := range r.networks.hops {
		if h.prefix.Bits() <= subnet.Bits() && h.prefix.Contains(subnet.Addr()) {
			return h.prefix, true
		}
	}
	return netip.Prefix{}, false
}

func parsePrefix(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return p, err
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// Networks are the declared ones.
func (r *Resolver) Networks() *Networks {
	if r.networks == nil {
		return &Networks{}
	}
	return r.networks
}

// Arrival is what a connection tells before a request is read from it.
type Arrival struct {
	Peer     netip.Addr // who connected, or who did according to a PROXY header that counts; invalid: unknown
	Secure   bool       // TLS with that peer
	Endpoint string     // vpce-… that the connection came through, by its listener or its PROXY header
	Service  Service    // what answers there; "" for either
}

// Refusal says that a request claims an endpoint that it cannot have come
// through. It must not be answered as one from elsewhere: nothing would be
// known of it that a policy could hold against it.
type Refusal struct {
	Endpoint string
	Rule     string // the setting that decided
	Reason   string
}

func (r *Refusal) Error() string { return r.Reason }

// Direct returns the origin of every request on a connection, and true, where
// no header on it can ever count: the peer is known and not trusted.
func (r *Resolver) Direct(a Arrival) (Origin, bool) {
	a.Peer = a.Peer.Unmap().WithZone("")
	if !a.Peer.IsValid() {
		return Origin{}, false
	}
	if believed, _ := r.believes(a.Peer); believed {
		return Origin{}, false
	}
	o, err := r.at(a, Origin{Addr: a.Peer, Secure: a.Secure}, a.Endpoint)
	return o, err == nil
}

// Resolve returns the origin of a request that arrived from peer ("host:port")
// over a connection that was TLS or not; unknown where Establish refuses.
func (r *Resolver) Resolve(peer string, secure bool, h http.Header) Origin {
	ap, err := netip.ParseAddrPort(peer)
	if err != nil {
		return Origin{Secure: secure}
	}
	o, err := r.Establish(Arrival{Peer: ap.Addr(), Secure: secure}, h)
	if err != nil {
		return Origin{}
	}
	return o
}

// Establish returns the origin of a request.
//
// Headers count only if the peer is trusted; they are then read right to left
// up to the first address that is not trusted. If anything on that way is
// malformed, the origin is unknown: a broken chain is not a reason to guess.
// It is unknown too where a trusted peer says nothing: there are ways to make
// a proxy drop the header it should send (naming it in Connection is one), and
// a client must not come to have its proxy's address.
//
// Forwarded (RFC 7239) is read if present, otherwise X-Forwarded-For; both at
// once from one trusted peer must agree, since a hop that sets one and passes
// the other on lets a client choose.
//
// The request came through an endpoint if its connection did, or if a hop of
// the endpoint reported it. The address must then be one that the VPC has;
// everything else that claims an endpoint is a *Refusal, and so is an address
// that is unknown.
func (r *Resolver) Establish(a Arrival, h http.Header) (Origin, error) {
	a.Peer = a.Peer.Unmap().WithZone("")
	o, via := Origin{Addr: a.Peer, Secure: a.Secure}, a.Endpoint
	if believed, hop := r.believes(a.Peer); believed {
		o, via = r.reported(a, hop, h)
	}
	return r.at(a, o, via)
}

// believes reports whether the peer's headers count, and whose hop it is.
func (r *Resolver) believes(a netip.Addr) (believed bool, endpoint string) {
	if !a.IsValid() {
		return false, ""
	}
	if r.networks != nil {
		for _, h := range r.networks.hops {
			if h.prefix.Contains(a) {
				return true, h.endpoint.ID
			}
		}
	}
	return within(r.trusted, a), ""
}

// ambiguous is no endpoint's id: a request came through two.
const ambiguous = "more than one endpoint"

// reported reads what the trusted peer says.
func (r *Resolver) reported(a Arrival, hop string, h http.Header) (o Origin, via string) {
	via = both(a.Endpoint, hop)
	std, hasStd := h["Forwarded"]
	xff, hasXFF := h["X-Forwarded-For"]
	proto := ""
	if p := h["X-Forwarded-Proto"]; len(p) == 1 {
		proto = strings.ToLower(trim(p[0]))
	}
	switch {
	case hasStd && hasXFF:
		x, xvia := r.walk(forwarded(std), proto, via)
		y, yvia := r.walk(forwardedFor(xff), proto, via)
		if x.Addr != y.Addr || xvia != yvia {
			return Origin{}, via
		}
		return x, xvia
	case hasStd:
		return r.walk(forwarded(std), proto, via)
	case hasXFF:
		return r.walk(forwardedFor(xff), proto, via)
	}
	return Origin{}, via
}

// walk goes right to left through hops, each reported by the one before it.
// It stops at the first address that is not trusted: that is the client as far
// as anybody we trust has seen. Entries further left were written by strangers.
func (r *Resolver) walk(hops []hop, proto, via string) (Origin, string) {
	if len(hops) == 0 || len(hops) > maxHops {
		return Origin{}, via
	}
	for i := len(hops) - 1; i >= 0; i-- {
		h := hops[i]
		if h.broken {
			return Origin{}, via
		}
		believed, hop := r.believes(h.addr)
		if believed && i > 0 {
			via = both(via, hop)
			continue
		}
		if h.proto != "" {
			proto = h.proto
		}
		return Origin{Addr: h.addr, Secure: proto == "https"}, via
	}
	return Origin{}, via
}

// both is the endpoint that two observations agree on.
func both(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return ambiguous
}

// at places an origin at an endpoint, if the request came through one.
func (r *Resolver) at(a Arrival, o Origin, via string) (Origin, error) {
	if via == "" {
		return o, nil
	}
	refuse := func(rule, reason string) (Origin, error) {
		return Origin{}, &Refusal{Endpoint: via, Rule: rule, Reason: reason}
	}
	e, ok := r.Networks().Endpoint(via)
	switch {
	case via == ambiguous:
		return refuse("networks", "the request came through hops of more than one VPC endpoint")
	case !ok:
		return refuse("networks", "no VPC endpoint of this id is declared: "+via)
	case a.Service != "" && !e.Serves(a.Service):
		return refuse("networks "+via+" services", "the VPC endpoint "+via+" does not lead to the "+string(a.Service))
	case !o.Known():
		return refuse("networks "+via, "the address behind the VPC endpoint "+via+" is not known")
	case !e.VPC.Contains(o.Addr):
		return refuse("networks "+e.VPC.ID+" subnets", "the address "+o.Addr.String()+" is of no subnet of "+e.VPC.ID+
			" and of no network routed to it, and cannot have come through "+via)
	}
	o.VPC, o.VPCE = e.VPC.ID, e.ID
	return o, nil
}
