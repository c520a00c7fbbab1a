package origin

import "net/netip"

// Sample is an address of the VPC: the first host of its first subnet by id. It
// stands for all of them where a question needs one.
func (v *VPC) Sample() (netip.Addr, bool) {
	for _, id := range keys(v.subnets) {
		if len(v.subnets[id]) == 0 {
			continue
		}
		p := v.subnets[id][0].Masked()
		if next := p.Addr().Next(); p.Contains(next) {
			return next, true
		}
		return p.Addr(), true
	}
	return netip.Addr{}, false
}
