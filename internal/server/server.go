// Package server owns the listeners: it accepts connections, establishes the
// origin of every request before any handler sees it, and stops gracefully.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/origin"
)

// Limits on what a client may make us hold.
const (
	readHeaderTimeout = 15 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// Listener is one bound port and what answers there.
type Listener struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// Options are how to listen.
type Options struct {
	Name     string // for the log
	Addr     string // host:port; port 0 takes a free one
	Handler  http.Handler
	TLS      *tls.Config // nil for plain HTTP
	Resolver *origin.Resolver
	Recorder audit.Recorder // of what is refused before the handler
	Logger   *slog.Logger
	Now      func() time.Time

	Service  origin.Service // what the handler is, where endpoints may lead to it
	Endpoint string         // VPC endpoint that every connection here comes through
	From     []netip.Prefix // peers of which each connection begins with a PROXY header; if set, nobody else may connect
}

// Listen binds the port. Nothing is answered before Serve; connections wait.
func Listen(o Options) (*Listener, error) {
	inner, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	refused := &refusals{listener: o.Name, recorder: o.Recorder, log: o.Logger, now: o.Now}
	arrival := origin.Arrival{Secure: o.TLS != nil, Endpoint: o.Endpoint, Service: o.Service}
	var l net.Listener
	if tcp := inner.(*net.TCPListener); len(o.From) > 0 {
		l = newBehind(tcp, arrival, o.From, refused)
	} else {
		l = &direct{tcp, arrival, refused}
	}
	srv := &http.Server{
		DisableGeneralOptionsHandler: true, // OPTIONS * is for handlers to answer, who may ask at all first
		ConnContext:                  connContext(o.Resolver),
		Handler:                      withOrigin(o.Resolver, refused, o.Handler),
		ReadHeaderTimeout:            readHeaderTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeaderBytes,
		ErrorLog:                     slog.NewLogLogger(o.Logger.With("listener", o.Name).Handler(), slog.LevelDebug),
	}
	if o.TLS != nil {
		srv.TLSConfig = o.TLS
	}
	return &Listener{name: o.Name, listener: l, server: srv}, nil
}

// Addr is the bound address.
func (l *Listener) Addr() string { return l.listener.Addr().String() }

// withOrigin establishes the origin of a request before any handler sees it.
func withOrigin(r *origin.Resolver, refused *refusals, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if origin.From(req.Context()).Known() {
			next.ServeHTTP(w, req)
			return
		}
		o, why := establish(r, req)
		if why != nil {
			refused.request(w, req, why)
			return
		}
		next.ServeHTTP(w, req.WithContext(origin.With(req.Context(), o)))
	})
}

func establish(r *origin.Resolver, req *http.Request) (origin.Origin, *origin.Refusal) {
	c, _ := req.Context().Value(connKey{}).(*conn)
	if c == nil {
		return origin.Origin{}, &origin.Refusal{Rule: "listener", Reason: "the connection is not one of this listener's"}
	}
	if c.refusal != nil {
		return origin.Origin{}, c.refusal
	}
	o, err := r.Establish(c.arrival, req.Header)
	var why *origin.Refusal
	if errors.As(err, &why) {
		return origin.Origin{}, why
	}
	return o, nil
}

// Serve answers on all listeners until ctx ends, then lets requests in flight
// finish for at most grace and closes what is left. It returns the first error
// of a listener, or nil after an orderly stop.
func Serve(ctx context.Context, grace time.Duration, listeners ...*Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, l := range listeners {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := l.serve(); !errors.Is(err, http.ErrServerClosed) {
				cancel(err)
			}
		}()
	}
	<-ctx.Done()
	stopping, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer done()
	for _, l := range listeners {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := l.server.Shutdown(stopping); err != nil {
				_ = l.server.Close()
			}
		}()
	}
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (l *Listener) serve() error {
	if l.server.TLSConfig != nil {
		return l.server.ServeTLS(l.listener, "", "")
	}
	return l.server.Serve(l.listener)
}

// Close unbinds a listener that was never served.
func (l *Listener) Close() error { return l.listener.Close() }
