package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"fiducial/internal/origin"
)

// Limits on a PROXY header. Version 2 allows 65,535 bytes; what is of use here
// (addresses, a VPC endpoint id, TLS particulars) takes some hundred.
const (
	maxProxyV1   = 107 // with CR LF; the protocol's own bound
	maxProxyV2   = 4096
	fixedProxyV2 = 16

	maxEndpointID = 64 // characters; AWS's have 22
)

// Bytes 13 and 14 of version 2: what this program takes.
const (
	v2Local  = 0x20
	v2Proxy  = 0x21
	overTCP4 = 0x11
	overTCP6 = 0x21
)

// preamble is what a PROXY header says.
type preamble struct {
	client   netip.Addr // invalid: the balancer connected for itself
	secure   bool       // the balancer ended the client's TLS
	endpoint string     // AWS VPC endpoint id
}

// readProxy reads the header that a connection must begin with, and not one
// byte more. Versions 1 and 2 are taken; the library parses what has been
// bounded here. Every error names what was wrong with the header.
func readProxy(r io.Reader) (preamble, error) {
	raw := make([]byte, fixedProxyV2, 256)
	if _, err := io.ReadFull(r, raw[:1]); err != nil {
		return preamble{}, fmt.Errorf("no PROXY header: %w", err)
	}
	var err error
	switch raw[0] {
	case proxyproto.SIGV1[0]:
		raw, err = readV1(r, raw[:1])
	case proxyproto.SIGV2[0]:
		raw, err = readV2(r, raw)
	default:
		err = errors.New("no PROXY header")
	}
	if err != nil {
		return preamble{}, err
	}
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(raw), len(raw)))
	if err != nil {
		return preamble{}, fmt.Errorf("malformed PROXY header: %w", err)
	}
	return meaning(h)
}

// readV1 reads a line, byte by byte because what follows is not ours.
func readV1(r io.Reader, raw []byte) ([]byte, error) {
	for raw[len(raw)-1] != '\n' {
		n := len(raw)
		if n == maxProxyV1 {
			return nil, errors.New("the PROXY header (version 1) is longer than 107 bytes")
		}
		raw = append(raw, 0)
		if _, err := io.ReadFull(r, raw[n:]); err != nil {
			return nil, fmt.Errorf("the PROXY header (version 1) breaks off: %w", err)
		}
		if n < len("PROXY ") && raw[n] != "PROXY "[n] {
			return nil, errors.New("no PROXY header")
		}
	}
	return raw, nil
}

// readV2 reads the fixed part, and only if that can be right what it announces.
func readV2(r io.Reader, raw []byte) ([]byte, error) {
	if _, err := io.ReadFull(r, raw[1:]); err != nil {
		return nil, fmt.Errorf("the PROXY header breaks off: %w", err)
	}
	if !bytes.Equal(raw[:len(proxyproto.SIGV2)], proxyproto.SIGV2) {
		return nil, errors.New("no PROXY header: the signature is another")
	}
	command, over, length := raw[12], raw[13], int(binary.BigEndian.Uint16(raw[14:]))
	switch {
	case command != v2Local && command != v2Proxy:
		return nil, fmt.Errorf("the PROXY header has the unknown version and command %#02x", command)
	case command == v2Proxy && over != overTCP4 && over != overTCP6:
		return nil, fmt.Errorf("the PROXY header has the address family and protocol %#02x; expected TCP over IPv4 or IPv6", over)
	case length > maxProxyV2:
		return nil, fmt.Errorf("the PROXY header announces %d bytes; at most %d are taken", length, maxProxyV2)
	}
	raw = append(raw, make([]byte, length)...)
	if _, err := io.ReadFull(r, raw[fixedProxyV2:]); err != nil {
		return nil, fmt.Errorf("the PROXY header is shorter than it announces: %w", err)
	}
	return raw, nil
}

// meaning takes from a parsed header what counts.
func meaning(h *proxyproto.Header) (p preamble, err error) {
	if h.Command.IsLocal() {
		return preamble{}, nil
	}
	if h.Version == 1 && h.TransportProtocol.IsUnspec() {
		return preamble{}, nil // PROXY UNKNOWN
	}
	from, _, ok := h.TCPAddrs()
	if !ok {
		return p, errors.New("the PROXY header has no TCP addresses")
	}
	if p.client, ok = netip.AddrFromSlice(from.IP); !ok {
		return p, errors.New("the PROXY header has no client address")
	}
	if p.client = p.client.Unmap(); p.client.IsUnspecified() || p.client.IsMulticast() {
		return p, fmt.Errorf("the PROXY header has the client address %s, which is nobody's", p.client)
	}
	if h.Version == 1 {
		return p, nil
	}
	tlvs, err := h.TLVs()
	if err != nil {
		return p, fmt.Errorf("the PROXY header has a malformed TLV: %w", err)
	}
	if ssl, ok := tlvparse.FindSSL(tlvs); ok {
		p.secure = ssl.ClientSSL()
	}
	p.endpoint, err = endpointOf(tlvs)
	return p, err
}

// endpointOf reads AWS's TLV. Two of them would let whoever added the second
// choose; one that is malformed or empty is not the same as none.
func endpointOf(tlvs []proxyproto.TLV) (string, error) {
	found := ""
	for _, t := range tlvs {
		if t.Type != tlvparse.PP2_TYPE_AWS {
			continue
		}
		if len(t.Value) == 0 {
			return "", errors.New("the PROXY header has an empty AWS TLV")
		}
		if t.Value[0] != tlvparse.PP2_SUBTYPE_AWS_VPCE_ID {
			continue // another of AWS's extensions
		}
		id, err := tlvparse.AWSVPCEndpointID(t)
		if err != nil || id == "" || len(id) > maxEndpointID {
			return "", errors.New("the PROXY header has a malformed VPC endpoint id")
		}
		if found != "" {
			return "", errors.New("the PROXY header names two VPC endpoints")
		}
		found = id
	}
	return found, nil
}

// arrival is what the header makes of a connection to a listener.
func (p preamble) arrival(a origin.Arrival) (origin.Arrival, *origin.Refusal) {
	switch {
	case !p.client.IsValid():
		return a, &origin.Refusal{Endpoint: a.Endpoint, Rule: "proxy-protocol",
			Reason: "the load balancer connected for itself (LOCAL or UNKNOWN), and such a connection carries no request"}
	case p.endpoint != "" && a.Endpoint != "" && p.endpoint != a.Endpoint:
		return a, &origin.Refusal{Endpoint: a.Endpoint, Rule: "networks " + a.Endpoint,
			Reason: "the PROXY header names another VPC endpoint than the listener's"}
	case p.endpoint != "":
		a.Endpoint = p.endpoint
	}
	a.Peer = p.client
	a.Secure = a.Secure || p.secure
	return a, nil
}
