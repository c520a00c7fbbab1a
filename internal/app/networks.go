package app

import (
	"context"
	"errors"
	"os"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/server"
)

// resolve makes the one thing that establishes where requests come from.
func (a *App) resolve() (*origin.Resolver, error) {
	networks, err := origin.NewNetworks(a.settings.Networks.Spec())
	if err != nil {
		return nil, err
	}
	return origin.New(a.settings.TrustedProxies, networks)
}

// listen binds a port; it is closed with the rest.
func (a *App) listen(o server.Options) (*server.Listener, error) {
	o.Resolver, o.Recorder, o.Logger, o.Now = a.resolver, refusals{a}, a.log, a.now
	bound, err := server.Listen(o)
	if err != nil {
		return nil, fault.E("app.New", fault.Unavailable, o.Name+"-addr: cannot listen on "+o.Addr, err)
	}
	a.closers = append(a.closers, func() error {
		if err := bound.Close(); !errors.Is(err, os.ErrClosed) && !isClosed(err) {
			return err
		}
		return nil
	})
	return bound, nil
}

// bindNetworks takes the ports of VPC endpoints and of load balancers. What
// answers there is what answers at the public ports, whose TLS they share.
func (a *App) bindNetworks(api, portal server.Options) error {
	return a.resolver.Networks().Listen(func(endpoint string, l origin.Listeners) error {
		name := endpoint
		if name == "" {
			name = "proxy-protocol"
		}
		for _, at := range []struct {
			addr string
			o    server.Options
		}{{l.API, api}, {l.Portal, portal}} {
			if at.addr == "" {
				continue
			}
			o := at.o
			o.Name, o.Addr, o.Endpoint, o.From = name+" "+o.Name, at.addr, endpoint, l.From
			bound, err := a.listen(o)
			if err != nil {
				return err
			}
			a.log.Info("listening for "+name, "service", o.Service, "addr", bound.Addr(), "proxy-protocol", len(l.From) > 0)
			a.further = append(a.further, bound)
		}
		return nil
	})
}

// refusals is the audit record for listeners, which are made before it and
// serve after.
type refusals struct{ a *App }

func (r refusals) Record(ctx context.Context, e *audit.Event) error {
	return r.a.recorder.Record(ctx, e)
}
