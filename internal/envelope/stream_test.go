package envelope

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"

	tink "github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

// The sizes around every edge of the format: nothing, the end of the first
// segment, the ends of later ones.
var edges = []int{
	0, 1, 15, 16, 4096,
	segmentPlain - headerSize - 1, segmentPlain - headerSize, segmentPlain - headerSize + 1,
	2*segmentPlain - headerSize - 1, 2*segmentPlain - headerSize, 2*segmentPlain - headerSize + 1,
	3*segmentPlain + 12345,
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func newDataKey() Secret { return NewSecret(string(randomBytes(dataKeySize))) }

func sealStream(t testing.TB, key Secret, context string, plain []byte, chunk int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(key, context, &out)
	if err != nil {
		t.Fatal(err)
	}
	for p := plain; len(p) > 0; {
		n := min(chunk, len(p))
		if m, err := w.Write(p[:n]); err != nil || m != n {
			t.Fatal(m, err)
		}
		p = p[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// openStream reads all of a stream, its end included.
func openStream(key Secret, context string, sealed []byte) ([]byte, error) {
	r, err := NewReader(key, context, bytes.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		return nil, err
	}
	s := r.Range(0, r.Size())
	defer s.Close()
	return io.ReadAll(s)
}

func TestStreamOpens(t *testing.T) {
	key := newDataKey()
	for _, size := range edges {
		for _, chunk := range []int{1 << 20, 65536, 1000} {
			plain := randomBytes(size)
			sealed := sealStream(t, key, "c", plain, chunk)
			if int64(len(sealed)) != SealedSize(int64(size)) {
				t.Fatalf("%d bytes: sealed %d, said %d", size, len(sealed), SealedSize(int64(size)))
			}
			if n, ok := PlainSize(int64(len(sealed))); !ok || n != int64(size) {
				t.Fatalf("plain size %d %v, want %d", n, ok, size)
			}
			got, err := openStream(key, "c", sealed)
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%d bytes in chunks of %d: %v", size, chunk, err)
			}
		}
	}
}

// TestStreamIsTinks pins the format: Tink opens our streams and we open Tink's.
func TestStreamIsTinks(t *testing.T) {
	key := newDataKey()
	other, err := tink.NewAESGCMHKDF([]byte(key.Reveal()), "SHA256", 32, segmentSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range edges {
		plain := randomBytes(size)
		r, err := other.NewDecryptingReader(bytes.NewReader(sealStream(t, key, "bucket/key", plain, 1<<20)), []byte("bucket/key"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Tink does not open %d bytes of ours: %v", size, err)
		}
		var out bytes.Buffer
		w, err := other.NewEncryptingWriter(&out, []byte("bucket/key"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := openStream(key, "bucket/key", out.Bytes()); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes of Tink's do not open: %v", size, err)
		}
	}
}

// counting is a file that counts what is read of it.
type counting struct {
	*bytes.Reader
	touched map[int64]bool
	bytes   int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.bytes += len(p)
	for at := off; at < off+int64(len(p)); at += segmentSize {
		c.touched[at/segmentSize] = true
	}
	return c.Reader.ReadAt(p, off)
}

// TestStreamRanges reads ranges around every edge and pins that only the
// segments they lie in are read.
func TestStreamRanges(t *testing.T) {
	key, plain := newDataKey(), randomBytes(4*segmentPlain+777)
	sealed := sealStream(t, key, "c", plain, 1<<20)
	src := &counting{Reader: bytes.NewReader(sealed), touched: map[int64]bool{}}
	r, err := NewReader(key, "c", src, int64(len(sealed)))
	if err != nil {
		t.Fatal(err)
	}
	places := []int{0, 1, segmentPlain - headerSize - 1, segmentPlain - headerSize, segmentPlain, 2*segmentPlain - headerSize, 3*segmentPlain + 5, len(plain) - 1, len(plain)}
	for _, off := range places {
		for _, n := range []int{0, 1, 2, 100, segmentPlain, 2*segmentPlain + 3, len(plain)} {
			src.touched, src.bytes = map[int64]bool{}, 0
			want := plain[off:min(off+n, len(plain))]
			s := r.Range(int64(off), int64(n))
			var got bytes.Buffer
			if m, err := s.WriteTo(&got); err != nil || int(m) != len(want) || !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("range %d+%d: %d bytes, %v", off, n, m, err)
			}
			_ = s.Close()
			if n := len(want); n > 0 {
				first, last := (off+headerSize)/segmentPlain, (off+n-1+headerSize)/segmentPlain
				if len(src.touched) != last-first+1 || src.bytes > (last-first+1)*segmentSize {
					t.Errorf("range %d+%d read segments %v, %d bytes", off, n, src.touched, src.bytes)
				}
			} else if src.bytes > 0 {
				t.Errorf("an empty range read %d bytes", src.bytes)
			}
			p := make([]byte, n)
			m, err := r.ReadAt(p, int64(off))
			if m != len(want) || !bytes.Equal(p[:m], want) || (err == nil) != (m == n) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatalf("ReadAt %d+%d: %d bytes, %v", off, n, m, err)
			}
		}
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("read before the start")
	}
	if got, err := r.With(bytes.NewReader(sealed)).ReadAt(make([]byte, 10), 5); got != 10 || err != nil {
		t.Error(got, err)
	}
}

// segment cuts segment i out of a sealed stream.
func segment(sealed []byte, i int) []byte {
	return sealed[i*segmentSize : min((i+1)*segmentSize, len(sealed))]
}

// TestStreamTampered pins that no stream opens that is not the one that was
// sealed, whatever an owner of the disk does with its segments.
func TestStreamTampered(t *testing.T) {
	key, plain := newDataKey(), randomBytes(3*segmentPlain+500)
	sealed := sealStream(t, key, "c", plain, 1<<20)
	twin := sealStream(t, key, "c", plain, 1<<20) // the same bytes under the same key
	full := sealStream(t, key, "c", plain[:2*segmentPlain-headerSize], 1<<20)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	header, cut := sealed[:headerSize], segment(sealed, 0)[headerSize:]
	cases := []struct {
		name    string
		sealed  []byte
		key     Secret
		context string
	}{
		{"another key", sealed, newDataKey(), "c"},
		{"another context", sealed, key, "d"},
		{"no context", sealed, key, ""},
		{"a key that is too short", sealed, NewSecret("short"), "c"},
		{"segments swapped", join(segment(sealed, 0), segment(sealed, 2), segment(sealed, 1), segment(sealed, 3)), key, "c"},
		{"segment repeated", join(segment(sealed, 0), segment(sealed, 1), segment(sealed, 1), segment(sealed, 3)), key, "c"},
		{"segment dropped", join(segment(sealed, 0), segment(sealed, 1), segment(sealed, 3)), key, "c"},
		{"last segment dropped", sealed[:3*segmentSize], key, "c"},
		{"all but the first dropped", segment(sealed, 0), key, "c"},
		{"last segment shortened", sealed[:len(sealed)-1], key, "c"},
		{"last segment without its tag", sealed[:len(sealed)-tagSize], key, "c"},
		{"a byte more", join(sealed, []byte{0}), key, "c"},
		{"a whole segment more", join(sealed[:3*segmentSize], segment(sealed, 2), segment(sealed, 3)), key, "c"},
		{"last segment twice", join(full, segment(full, 1)), key, "c"},
		{"grown from a full last segment", join(full, segment(sealed, 2)), key, "c"},
		{"segment of a twin under the same key", join(segment(sealed, 0), segment(twin, 1), segment(sealed, 2), segment(sealed, 3)), key, "c"},
		{"header of a twin under the same key", join(twin[:headerSize], sealed[headerSize:]), key, "c"},
		{"header alone", header, key, "c"},
		{"header missing", cut, key, "c"},
		{"empty", nil, key, "c"},
		{"another header size", join([]byte{headerSize + 1}, sealed[1:]), key, "c"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := openStream(tc.key, tc.context, tc.sealed); !errors.Is(err, ErrStream) {
				t.Errorf("opened %d bytes, %v", len(got), err)
			}
		})
	}
	for _, at := range []int{0, 1, 33, headerSize - 1, headerSize, segmentSize - 1, segmentSize, 2*segmentSize + 100, len(sealed) - 1} {
		for bit := range 8 {
			forged := bytes.Clone(sealed)
			forged[at] ^= 1 << bit
			if _, err := openStream(key, "c", forged); !errors.Is(err, ErrStream) {
				t.Errorf("opens with bit %d of byte %d changed: %v", bit, at, err)
			}
		}
	}
	// Of an empty stream, too, the end is proven.
	empty := sealStream(t, key, "c", nil, 1)
	empty[len(empty)-1] ^= 1
	if _, err := openStream(key, "c", empty); !errors.Is(err, ErrStream) {
		t.Errorf("a forged empty stream opens: %v", err)
	}
}

// TestStreamMovedInRange pins that a reader that opens one segment alone knows
// which one it is: a segment moved on disk fails although no other is read.
func TestStreamMovedInRange(t *testing.T) {
	key, plain := newDataKey(), randomBytes(5*segmentPlain)
	sealed := sealStream(t, key, "c", plain, 1<<20)
	swapped := bytes.Clone(sealed)
	copy(segment(swapped, 1), segment(sealed, 3))
	copy(segment(swapped, 3), segment(sealed, 1))
	r, err := NewReader(key, "c", bytes.NewReader(swapped), int64(len(swapped)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true, false, true} {
		_, err := r.ReadAt(make([]byte, 100), int64(i*segmentPlain))
		if (err == nil) != want {
			t.Errorf("segment %d: %v", i, err)
		}
	}
}

// broken fails after n bytes.
type broken struct{ n int }

var errBroken = errors.New("disk full")

func (b *broken) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestStreamWriterFails(t *testing.T) {
	for _, room := range []int{0, segmentSize, 2 * segmentSize} {
		w, err := NewWriter(newDataKey(), "c", &broken{room})
		if err != nil {
			t.Fatal(err)
		}
		_, werr := w.Write(make([]byte, 3*segmentPlain))
		if cerr := w.Close(); !errors.Is(errors.Join(werr, cerr), errBroken) {
			t.Errorf("room for %d: %v %v", room, werr, cerr)
		}
		if cerr := w.Close(); !errors.Is(cerr, errBroken) {
			t.Errorf("the second Close says %v", cerr)
		}
		if _, err := w.Write([]byte{1}); err == nil {
			t.Error("write after Close")
		}
	}
	if _, err := NewWriter(NewSecret("short"), "c", io.Discard); err == nil {
		t.Error("a short key is taken")
	}
}

func TestStreamSizes(t *testing.T) {
	for _, sealed := range []int64{-1, 0, headerSize, headerSize + tagSize - 1, segmentSize + 1, segmentSize + tagSize, 1<<63 - 1, -1 << 63} {
		if n, ok := PlainSize(sealed); ok {
			t.Errorf("%d sealed bytes are said to be %d plain ones", sealed, n)
		}
	}
	if n, ok := PlainSize(SealedSize(MaxStream)); !ok || n != MaxStream {
		t.Error(n, ok)
	}
}

// FuzzStream lets anything be a stream: what opens is what was sealed.
func FuzzStream(f *testing.F) {
	key := NewSecret("0123456789abcdef0123456789abcdef")
	plain := bytes.Repeat([]byte("fiducial"), 3*segmentPlain/16)
	good := sealStream(f, key, "c", plain, 1<<20)
	f.Add(good, int64(0), int64(10))
	f.Add(good[:segmentSize], int64(5), int64(1))
	f.Add(good[:len(good)-1], int64(segmentPlain), int64(100))
	f.Add([]byte{headerSize}, int64(0), int64(0))
	f.Add(append(bytes.Clone(good), 0), int64(1<<62), int64(1<<62))
	f.Fuzz(func(t *testing.T, sealed []byte, off, n int64) {
		r, err := NewReader(key, "c", bytes.NewReader(sealed), int64(len(sealed)))
		if err != nil {
			return
		}
		s := r.Range(off, n)
		defer s.Close()
		got, err := io.ReadAll(s)
		if len(got) == 0 {
			return
		}
		off = max(off, 0)
		if off >= int64(len(plain)) || !bytes.HasPrefix(plain[off:], got) {
			t.Fatalf("%d bytes at %d open that were never sealed (%v)", len(got), off, err)
		}
	})
}

func BenchmarkStream(b *testing.B) {
	key := newDataKey()
	for _, size := range []int{4 << 10, 100 << 10, 4 << 20} {
		plain := randomBytes(size)
		sealed := sealStream(b, key, "c", plain, 1<<20)
		b.Run(fmt.Sprintf("seal-%dK", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				w, _ := NewWriter(key, "c", io.Discard)
				_, _ = w.Write(plain)
				_ = w.Close()
			}
		})
		b.Run(fmt.Sprintf("open-%dK", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			src := bytes.NewReader(sealed)
			for b.Loop() {
				r, _ := NewReader(key, "c", src, int64(len(sealed)))
				s := r.Range(0, r.Size())
				if n, err := s.WriteTo(io.Discard); err != nil || n != int64(size) {
					b.Fatal(n, err)
				}
				_ = s.Close()
			}
		})
		b.Run(fmt.Sprintf("open-kept-%dK", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			src := bytes.NewReader(sealed)
			r, _ := NewReader(key, "c", src, int64(len(sealed)))
			for b.Loop() {
				s := r.With(src).Range(0, r.Size())
				_, _ = s.WriteTo(io.Discard)
				_ = s.Close()
			}
		})
	}
}
