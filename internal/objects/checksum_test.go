package objects

import (
	"encoding/base64"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"fiducial/internal/sigv4"
)

// The full-object checksum made from the parts' is that of the joined bytes.
func TestCombine(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, alg := range []sigv4.ChecksumAlgorithm{sigv4.CRC32, sigv4.CRC32C, sigv4.CRC64NVME} {
		for round := range 20 {
			whole := alg.New()
			var parts []Segment
			for n := range 1 + rng.IntN(5) {
				b := make([]byte, rng.IntN(5000))
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
				_, _ = whole.Write(b)
				h := alg.New()
				_, _ = h.Write(b)
				parts = append(parts, Segment{Number: n + 1, Size: int64(len(b)), Checksum: Checksum{Algorithm: string(alg), Value: base64.StdEncoding.EncodeToString(h.Sum(nil))}})
			}
			got, err := combine(string(alg), FullObject, parts)
			if err != nil {
				t.Fatal(err)
			}
			if want := base64.StdEncoding.EncodeToString(whole.Sum(nil)); got.Value != want {
				t.Fatalf("%s round %d: %s, want %s", alg, round, got.Value, want)
			}
		}
	}
}

func TestCombineRefusesAMissingPart(t *testing.T) {
	if _, err := combine("CRC32", Composite, []Segment{{Number: 1}}); err == nil {
		t.Error("a part without a checksum was taken")
	}
}

func TestCheckAlgorithm(t *testing.T) {
	for _, c := range []struct {
		alg, typ string
		wantType string
		ok       bool
	}{
		{"", "", "", true}, {"crc32", "", Composite, true}, {"CRC32", FullObject, FullObject, true}, {"CRC64NVME", "", FullObject, true},
		{"CRC64NVME", Composite, "", false}, {"SHA256", FullObject, "", false}, {"SHA256", "", Composite, true}, {"MD5", "", "", false},
		{"CRC32", "HALF", "", false}, {"", FullObject, "", false},
	} {
		got := Checksum{Algorithm: c.alg, Type: c.typ}
		if err := checkAlgorithm(&got); (err == nil) != c.ok || err == nil && got.Type != c.wantType {
			t.Errorf("%s %s: %+v %v", c.alg, c.typ, got, err)
		}
	}
}

// A known value, so that combine is not only consistent with itself.
func TestCombineKnown(t *testing.T) {
	got := combineCRC(crc32.IEEE, 32, uint64(crc32.ChecksumIEEE([]byte("12345"))), uint64(crc32.ChecksumIEEE([]byte("6789"))), 4)
	if got != 0xcbf43926 {
		t.Errorf("%#x, want the check value 0xcbf43926", got)
	}
}

func TestMultipartETag(t *testing.T) {
	// Computed with another program: MD5 over the two digests as bytes.
	got := multipartETag([]Segment{{ETag: "d41d8cd98f00b204e9800998ecf8427e"}, {ETag: "d41d8cd98f00b204e9800998ecf8427e"}})
	if want := "5873dd45edd01f09c1ef2e7819369e8e-2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
