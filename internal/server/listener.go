package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fiducial/internal/origin"
)

// Limits on connections whose PROXY header has not come yet. Only peers that
// are trusted to send one get so far.
const (
	proxyTimeout = 5 * time.Second
	maxAwaiting  = 1024
)

// errProxyUnasked has the form of a broken connection, to which net/http
// answers nothing.
var errProxyUnasked error = &net.OpError{Op: "read", Err: errors.New("a PROXY header where none may be")}

// conn is an accepted connection and what it told before HTTP.
type conn struct {
	*net.TCPConn // with its ReadFrom: media go by sendfile
	arrival      origin.Arrival
	refusal      *origin.Refusal // nothing on this connection is answered
	refusals     *refusals
	begun        bool
	follows      atomic.Bool // the next write is the first of several; see BodyFollows
}

// signatures are what PROXY headers begin with, as far as no request does.
var signatures = [][]byte{[]byte("PROXY "), []byte("\r\n\r\n\x00")}

// Read refuses a connection that begins with a PROXY header where none may be:
// to a listener that takes none, or a second one. net/http would answer 400 by
// itself, and nobody would know of the attempt.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if !c.begun && n > 0 {
		c.begun = true
		for _, s := range signatures {
			if bytes.HasPrefix(b[:n], s) {
				c.refusals.connection(c.RemoteAddr().String(), "proxy-protocol", "the connection has a PROXY header where none may be")
				return 0, errProxyUnasked
			}
		}
	}
	return n, err
}

// Write keeps the head of an answer back until its body follows at once, which
// saves a packet and the waking of whoever reads it.
func (c *conn) Write(b []byte) (int, error) {
	if !c.follows.Load() || !c.follows.CompareAndSwap(true, false) {
		return c.TCPConn.Write(b)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		n, failed = syscall.SendmsgN(int(fd), b, nil, nil, syscall.MSG_MORE)
		return true
	})
	if n = max(n, 0); err == nil && (failed != nil || n < len(b)) {
		// Whatever it is, full buffers or a connection that is gone: the way
		// that waits, and knows its errors, takes the rest.
		var rest int
		rest, err = c.TCPConn.Write(b[n:])
		n += rest
	}
	return n, err
}

// BodyFollows says that the answer to a request of HTTP/1 has a body of at least
// MinBody bytes, which is written as soon as its head is. It is to be called
// right before, by the one who writes both.
func BodyFollows(ctx context.Context) {
	if c, _ := ctx.Value(connKey{}).(*conn); c != nil {
		c.follows.Store(true)
	}
}

// MinBody is what BodyFollows must be sure of: net/http writes when its buffer of
// 4 KiB is full, so that head and body together take more than one write. If there
// were only one, the kernel would wait a fifth of a second for the next.
const MinBody = 4 << 10

// direct accepts connections that speak for themselves.
type direct struct {
	*net.TCPListener
	arrival  origin.Arrival // without peer
	refusals *refusals
}

// Accept implements net.Listener.
func (l *direct) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	a := l.arrival
	a.Peer = peerOf(c)
	return &conn{TCPConn: c, arrival: a, refusals: l.refusals}, nil
}

func peerOf(c *net.TCPConn) netip.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// behind accepts connections of load balancers, each of which begins with a
// PROXY header. Headers are read beside the accepting, so that one that does
// not come holds up nobody else.
type behind struct {
	*net.TCPListener
	arrival  origin.Arrival // without peer
	from     []netip.Prefix
	refusals *refusals

	start    sync.Once
	ready    chan net.Conn
	failed   chan error
	closed   chan struct{}
	awaiting chan struct{}

	mu   sync.Mutex
	open map[*net.TCPConn]bool // whose header has not come
	wg   sync.WaitGroup
}

func newBehind(l *net.TCPListener, a origin.Arrival, from []netip.Prefix, r *refusals) *behind {
	return &behind{TCPListener: l, arrival: a, from: from, refusals: r, ready: make(chan net.Conn), failed: make(chan error, 1),
		closed: make(chan struct{}), awaiting: make(chan struct{}, maxAwaiting), open: map[*net.TCPConn]bool{}}
}

// Accept implements net.Listener.
func (l *behind) Accept() (net.Conn, error) {
	l.start.Do(func() {
		l.wg.Add(1)
		go l.accept()
	})
	select {
	case c := <-l.ready:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting, drops the connections whose header has not come, and
// waits for what it started.
func (l *behind) Close() error {
	l.mu.Lock()
	select {
	case <-l.closed:
		l.mu.Unlock()
		return net.ErrClosed
	default:
	}
	close(l.closed)
	for c := range l.open {
		_ = c.Close()
	}
	l.mu.Unlock()
	err := l.TCPListener.Close()
	l.wg.Wait()
	return err
}

func (l *behind) accept() {
	defer l.wg.Done()
	for pause := time.Duration(0); ; {
		c, err := l.AcceptTCP()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of file descriptors, or the peer is gone already: as net/http does.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(pause):
				continue
			case <-l.closed:
				return
			}
		}
		pause = 0
		if peer := peerOf(c); !trusts(l.from, peer) {
			l.refusals.connection(c.RemoteAddr().String(), "proxy-protocol from", "the peer may not connect to a PROXY protocol listener")
			reset(c)
			continue
		}
		select {
		case l.awaiting <- struct{}{}:
		case <-l.closed:
			_ = c.Close()
			return
		}
		l.wg.Add(1)
		go l.greet(c)
	}
}

func trusts(from []netip.Prefix, a netip.Addr) bool {
	for _, p := range from {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// reset closes without waiting for what the peer still sends.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// greet reads the header of one connection and hands it over.
func (l *behind) greet(c *net.TCPConn) {
	defer func() {
		<-l.awaiting
		l.wg.Done()
	}()
	if !l.hold(c) {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(proxyTimeout))
	p, err := readProxy(c)
	if !l.release(c) {
		return
	}
	if err != nil {
		l.refusals.connection(c.RemoteAddr().String(), "proxy-protocol", err.Error())
		reset(c)
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	out := &conn{TCPConn: c, refusals: l.refusals}
	out.arrival, out.refusal = p.arrival(l.arrival)
	select {
	case l.ready <- out:
	case <-l.closed:
		_ = c.Close()
	}
}

// hold has Close close the connection; release takes that back, and reports
// whether it has not happened.
func (l *behind) hold(c *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		return false
	default:
		l.open[c] = true
		return true
	}
}

func (l *behind) release(c *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	select {
	case <-l.closed:
		return false
	default:
		return true
	}
}

// unwrap finds the connection below TLS.
func unwrap(c net.Conn) *conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

type connKey struct{}

// connContext puts the connection into the context of its requests, and their
// origin too where it is one for all of them: where the peer speaks for itself
// alone. That spares each request a context and a parsed address.
func connContext(r *origin.Resolver) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, nc net.Conn) context.Context {
		c := unwrap(nc)
		if c == nil {
			return ctx
		}
		ctx = context.WithValue(ctx, connKey{}, c)
		if c.refusal == nil {
			if o, ok := r.Direct(c.arrival); ok {
				return origin.With(ctx, o)
			}
		}
		return ctx
	}
}
