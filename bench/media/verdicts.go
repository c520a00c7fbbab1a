package main

import (
	"fmt"
	"io"
)

// find returns a target that was measured, nil if it was not.
func (b *bench) find(name string, s size, secure bool) *target {
	for _, t := range b.targets {
		if t.name == name && t.size == s && t.secure == secure && len(t.runs) > 0 {
			return t
		}
	}
	return nil
}

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}

// verdicts compares what was measured with the bars.
func (b *bench) verdicts(w io.Writer, worst map[string]float64) {
	if r := worst["Fiducial grant"]; r > 0 {
		fmt.Fprintf(w, "a grant takes at most %.2f times the bare Go server's CPU per request (bar %.1f: %s); new URLs at most %.2f times, SSE-KMS %.2f\n",
			r, barCPU, met(r <= barCPU), worst["Fiducial, new URLs"], worst["Fiducial SSE-KMS"])
	}
	for _, secure := range []bool{false, true} {
		plain, sealed := b.find("Fiducial grant", picture, secure), b.find("Fiducial SSE-KMS", picture, secure)
		if plain != nil && sealed != nil {
			r := sealed.rate() / plain.rate()
			fmt.Fprintf(w, "100 KiB, TLS %v: SSE-KMS serves %.0f %% of the requests per second without (bar %.0f %%: %s), with %.2f times the CPU\n",
				secure, 100*r, 100*barKMS, met(r >= barKMS), float64(sealed.cpu())/float64(plain.cpu()))
		}
	}
	if plain, sealed := b.find("Fiducial, new objects", picture, false), b.find("Fiducial SSE-KMS, new objects", picture, false); plain != nil && sealed != nil {
		fmt.Fprintf(w, "100 KiB, objects that are not in memory: SSE-KMS serves %.0f %%, with %.2f times the CPU\n",
			100*sealed.rate()/plain.rate(), float64(sealed.cpu())/float64(plain.cpu()))
	}
	for _, store := range []string{"MinIO", "SeaweedFS"} {
		for _, s := range sizes[:2] {
			other, ours := b.find(store, s, false), b.find("Fiducial grant", s, false)
			if other != nil && ours != nil {
				r := ours.rate() / other.rate()
				fmt.Fprintf(w, "%d KiB: %.1f times the requests per second of %s (bar %.0f: %s), %.1f times less CPU\n",
					s.bytes>>10, r, store, barStore, met(r >= barStore), float64(other.cpu())/float64(ours.cpu()))
			}
		}
	}
	for _, a := range b.absent {
		fmt.Fprintf(w, "NOT MEASURED: %s\n", a)
	}
	fmt.Fprintf(w, "making a grant: %.0f µs\n", us(b.mint))
}
