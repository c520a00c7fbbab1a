package workforce_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/workforce"
)

// office is what the networks setting has in these tests.
func office(t testing.TB) *origin.Networks {
	t.Helper()
	n, err := origin.NewNetworks(origin.Spec{VPCs: []origin.VPCSpec{
		{
			ID:             "vpc-1",
			Subnets:        map[string][]string{"subnet-a": {"10.1.0.0/24"}, "subnet-b": {"10.1.1.0/24", "2001:db8:1::/64"}},
			SecurityGroups: map[string][]string{"sg-1": {"10.1.0.0/25"}, "sg-2": {"10.1.1.0/24", "2001:db8:1::/64"}},
			Endpoints:      []origin.EndpointSpec{{ID: "vpce-s3", Services: []string{"api"}}, {ID: "vpce-p", Services: []string{"portal"}}, {ID: "vpce-q"}},
		},
		{ID: "vpc-2", Subnets: map[string][]string{"subnet-c": {"10.2.0.0/24"}}, Endpoints: []origin.EndpointSpec{{ID: "vpce-2"}}},
		{ID: "vpc-3", Subnets: map[string][]string{"subnet-d": {"10.3.0.0/24"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func inVPC(id string) *workforce.VPC {
	switch id {
	case "vpc-1":
		return &workforce.VPC{ID: id, Subnets: []string{"subnet-a"}, SecurityGroups: []string{"sg-1"}}
	case "vpc-2":
		return &workforce.VPC{ID: id, Subnets: []string{"subnet-c"}, SecurityGroups: []string{"sg-9"}}
	}
	return nil
}

func TestVpcConfigRefused(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.workforce(t)
		vpc := func(id string, subnets, groups []string) *workforce.VPC {
			return &workforce.VPC{ID: id, Subnets: subnets, SecurityGroups: groups}
		}
		a, g := []string{"subnet-a"}, []string{"sg-1"}
		for _, c := range []struct {
			name string
			vpc  *workforce.VPC
			ip   string
			want []string
		}{
			{"no VPC", vpc("", a, g), "", []string{"WorkforceVpcConfig.VpcId", "{}"}},
			{"an unknown VPC", vpc("vpc-9", a, g), "", []string{"WorkforceVpcConfig.VpcId", "vpc-9", "vpc-1, vpc-2, vpc-3"}},
			{"no subnet", vpc("vpc-1", nil, g), "", []string{"WorkforceVpcConfig.Subnets", "subnet-a, subnet-b"}},
			{"no group", vpc("vpc-1", a, nil), "", []string{"WorkforceVpcConfig.SecurityGroupIds"}},
			{"another VPC's subnet", vpc("vpc-1", []string{"subnet-a", "subnet-c"}, g), "", []string{"WorkforceVpcConfig.Subnets", "subnet-c (entry 2)", "subnet-a, subnet-b"}},
			{"an unknown group", vpc("vpc-1", a, []string{"sg-9"}), "", []string{"WorkforceVpcConfig.SecurityGroupIds", "sg-9", "sg-1, sg-2"}},
			{"a VPC without endpoint", vpc("vpc-3", []string{"subnet-d"}, g), "", []string{"WorkforceVpcConfig.VpcId", "no endpoint", "portal"}},
			{"both families where there is one", vpc("vpc-1", a, g), "dualstack", []string{"IpAddressType", "subnet-a"}},
		} {
			_, err := f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{VPC: c.vpc, IPAddressType: c.ip})
			for _, w := range c.want {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), w) {
					t.Errorf("%s: got %v, want %q", c.name, err, w)
				}
			}
			if _, err := f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "other", UserPool: f.pool.ID, ClientID: f.client.ID, VPC: c.vpc, IPAddressType: c.ip}); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s, at creation: %v", c.name, err)
			}
		}
		if w, _ := f.Workforce(ctx); w.VPC != nil || w.Status != workforce.Active {
			t.Errorf("what was refused was done: %+v", w)
		}
		if said := f.said.take(); len(said) != 0 {
			t.Errorf("refused updates ended grants: %v", said)
		}
	})
}

// The statuses that clients wait for, and what may be done meanwhile.
func TestVpcConfigStatus(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.pass(0)
		status := func(want, endpoint string) {
			t.Helper()
			w, err := f.DescribeWorkforce(ctx, "people")
			if err != nil || w.Status != want || (w.VPC == nil) != (endpoint == "") || w.VPC != nil && w.VPC.EndpointID != endpoint {
				t.Errorf("workforce is %+v %+v %v, want %s at %q", w, w.VPC, err, want, endpoint)
			}
		}
		w, err := f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "People", UserPool: f.pool.ID, ClientID: f.client.ID, VPC: inVPC("vpc-1")})
		if err != nil || w.Status != workforce.Initializing {
			t.Fatalf("%+v %v", w, err)
		}
		status(workforce.Initializing, "vpce-p")
		_, err = f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{VPC: inVPC("vpc-2")})
		refused(t, err, fault.Precond, "ConflictException", "is Initializing")
		refused(t, f.DeleteWorkforce(ctx, "people"), fault.InUse, "", "is Initializing")
		cidrs := []string{"203.0.113.0/24"}
		if _, err := f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{CIDRs: &cidrs}); err != nil {
			t.Errorf("ranges can be changed at any time: %v", err)
		}
		f.said.take()
		f.pass(workforce.Settling)
		status(workforce.Active, "vpce-p")

		w, err = f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{VPC: inVPC("vpc-2")})
		if err != nil || w.Status != workforce.Updating || w.VPC.EndpointID != "vpce-2" {
			t.Errorf("%+v %v", w, err)
		}
		if diff := cmp.Diff([]workforce.Change{{Kind: workforce.AllChanged}, {Kind: workforce.AllChanged}}, f.said.take()); diff != "" {
			t.Errorf("grants of the old VPC live on: %s", diff)
		}
		_, err = f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{IPAddressType: "ipv4"})
		refused(t, err, fault.Precond, "ConflictException", "is Updating")
		f.pass(workforce.Settling - time.Millisecond)
		status(workforce.Updating, "vpce-2")
		f.pass(time.Millisecond)
		status(workforce.Active, "vpce-2")

		w, err = f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{VPC: &workforce.VPC{}})
		if err != nil || w.Status != workforce.Updating || w.VPC != nil {
			t.Errorf("%+v %v", w, err)
		}
		f.pass(workforce.Settling)
		status(workforce.Active, "")
		if err := f.DeleteWorkforce(ctx, "people"); err != nil {
			t.Error(err)
		}
	})
}

// A VPC that the setting no longer has is said to have failed, and opens nothing.
func TestVpcThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.workforce(t)
		if _, err := f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{VPC: inVPC("vpc-2")}); err != nil {
			t.Fatal(err)
		}
		f.Networks = &origin.Networks{}
		w, err := f.Workforce(ctx)
		if err != nil || w.Status != workforce.Failed || !strings.Contains(w.FailureReason, "vpc-2") || w.VPC.EndpointID != "" {
			t.Errorf("%+v %v", w, err)
		}
		a, err := f.Admission(ctx, origin.Origin{Addr: netip.MustParseAddr("10.2.0.1"), VPC: "vpc-2", VPCE: "vpce-2"})
		if err != nil || a.OK {
			t.Errorf("%+v %v", a, err)
		}
		if _, err := f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{VPC: &workforce.VPC{}}); err != nil {
			t.Errorf("a failed workforce cannot be mended: %v", err)
		}
	})
}

func TestAdmission(t *testing.T) {
	at := func(addr string, vpc ...string) origin.Origin {
		var o origin.Origin
		if addr != "" {
			o.Addr = netip.MustParseAddr(addr)
		}
		if len(vpc) > 0 {
			o.VPC, o.VPCE = vpc[0], vpc[1]
		}
		return o
	}
	each(t, func(t *testing.T, f *fixture) {
		check := func(name string, o origin.Origin, setting string) {
			t.Helper()
			a, err := f.Admission(ctx, o)
			if err != nil || a.OK != (setting == "") || !a.OK && (a.Setting != setting || a.Reason == "") {
				t.Errorf("%s: %+v %v; want %q", name, a, err, setting)
			}
			if ok, err := f.Admits(ctx, o); err != nil || a.OK && !ok {
				t.Errorf("%s: the portal answers who may not be there: %v", name, err)
			}
		}
		update := func(u workforce.WorkforceUpdate) {
			t.Helper()
			if _, err := f.UpdateWorkforce(ctx, "people", u); err != nil {
				t.Fatal(err)
			}
			f.pass(workforce.Settling)
		}
		check("no workforce, public", at("203.0.113.1"), "")
		check("no workforce, VPC", at("10.1.0.1", "vpc-1", "vpce-p"), "WorkforceVpcConfig")
		f.workforce(t)
		check("anywhere", at("203.0.113.1"), "")
		check("anywhere, unknown", at(""), "")
		check("IPv6 with ipv4", at("2001:db8::1"), "IpAddressType")
		check("loopback has no type", at("::1"), "")
		check("a VPC without WorkforceVpcConfig", at("10.1.0.1", "vpc-1", "vpce-p"), "WorkforceVpcConfig")

		update(workforce.WorkforceUpdate{IPAddressType: "dualstack"})
		check("IPv6 with dualstack", at("2001:db8::1"), "")
		cidrs := []string{"10.0.0.0/8"}
		update(workforce.WorkforceUpdate{CIDRs: &cidrs, IPAddressType: "ipv4", VPC: inVPC("vpc-1")})
		check("outside the ranges", at("203.0.113.1"), "SourceIpConfig")
		check("inside the ranges", at("10.1.0.200"), "")
		check("unknown, with ranges", at(""), "SourceIpConfig")
		check("the workforce's endpoint", at("10.1.0.1", "vpc-1", "vpce-p"), "")
		check("which the security group bounds", at("10.1.0.128", "vpc-1", "vpce-p"), "WorkforceVpcConfig")
		check("another endpoint of the VPC", at("10.1.0.1", "vpc-1", "vpce-q"), "WorkforceVpcConfig")
		check("another VPC, an address in the ranges", at("10.2.0.1", "vpc-2", "vpce-2"), "WorkforceVpcConfig")
		if ok, err := f.Admits(ctx, at("10.2.0.1", "vpc-2", "vpce-2")); ok || err != nil {
			t.Errorf("an address of another VPC was compared with public ranges: %v", err)
		}
		if ok, err := f.Admits(ctx, at("10.1.0.1", "vpc-1", "vpce-s3")); !ok || err != nil {
			t.Errorf("media through the VPC's other endpoint: %v", err)
		}
		update(workforce.WorkforceUpdate{VPC: &workforce.VPC{ID: "vpc-1", Subnets: []string{"subnet-b"}, SecurityGroups: []string{"sg-1", "sg-2"}}, IPAddressType: "dualstack"})
		check("IPv6 in the VPC", at("2001:db8:1::5", "vpc-1", "vpce-p"), "")
		if _, err := f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{VPC: inVPC("vpc-1"), IPAddressType: "ipv4"}); err != nil {
			t.Fatal(err)
		}
		check("while it is updating", at("10.1.0.1", "vpc-1", "vpce-p"), "WorkforceVpcConfig")
	})
}

// A row of an earlier version has no SettlesAt.
func TestRowsFromBefore(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.workforce(t)
		err := f.Store.Write(ctx, func(_ context.Context, tx workforce.Tx) error {
			w, err := tx.LoadWorkforce(ctx)
			if err != nil {
				return err
			}
			w.VPC, w.SettlesAt = inVPC("vpc-1"), time.Time{}
			return tx.SaveWorkforce(ctx, w)
		})
		if w, err2 := f.Workforce(ctx); err != nil || err2 != nil || w.Status != workforce.Active || w.VPC.EndpointID != "vpce-p" {
			t.Errorf("%+v %v %v", w, err, err2)
		}
	})
}
