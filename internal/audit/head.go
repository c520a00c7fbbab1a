package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// Head is the end of a chain at an instant: every later state of the chain must
// still have this line. Its String is what an officer keeps.
type Head struct {
	Chain string
	Seq   uint64
	Sum   Sum
	Time  time.Time // when it was written; zero in one that was parsed from a String

	// The lines up to Retired are gone for good reason; RetiredSum is the hash
	// of the last of them.
	Retired    uint64
	RetiredSum Sum
}

// String is chain:number:hash.
func (h Head) String() string {
	return h.Chain + ":" + strconv.FormatUint(h.Seq, 10) + ":" + h.Sum.String()
}

// ParseHead reads a Head's String.
func ParseHead(s string) (Head, error) {
	parts := strings.Split(strings.TrimSpace(s), ":")
	if len(parts) == 3 && chainName(parts[0]) {
		seq, err := strconv.ParseUint(parts[1], 10, 63)
		if sum, ok := parseSum(parts[2]); ok && err == nil && seq > 0 {
			return Head{Chain: parts[0], Seq: seq, Sum: sum}, nil
		}
	}
	return Head{}, fault.Newf("audit.ParseHead", fault.Invalid, "%.120q is not a head: expected chain:number:hash as `fiducial audit head` prints it", s)
}

// headKey signs heads: whoever can write to the folder of heads but does not
// have the key makes none. It does not print.
type headKey struct{ k [32]byte }

func (headKey) String() string   { return "(key)" }
func (headKey) GoString() string { return "(key)" }

func (k *headKey) sign(h *Head) []byte {
	m := hmac.New(sha256.New, k.k[:])
	fmt.Fprintf(m, "fiducial audit head\n%s\n%d\n%s\n%d\n%d\n%s\n", h.Chain, h.Seq, h.Sum, h.Time.UnixMicro(), h.Retired, h.RetiredSum)
	return m.Sum(nil)
}

const (
	keyFile     = "key"
	headSuffix  = ".json"
	lockSuffix  = ".lock"
	maxHeadFile = 4 << 10
)

// loadKey reads the key of the folder of heads, or makes it.
func loadKey(dir string, random io.Reader) (*headKey, error) {
	path := filepath.Join(dir, keyFile)
	k, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	k = &headKey{}
	if _, err := io.ReadFull(random, k.k[:]); err != nil {
		return nil, err
	}
	if err := writeDurably(path, []byte(hex.EncodeToString(k.k[:])+"\n"), true); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readKey(path) // another process may have made it first
}

func readKey(path string) (*headKey, error) {
	b, err := readLimited(path, maxHeadFile)
	if err != nil {
		return nil, err
	}
	k := &headKey{}
	if n, err := hex.Decode(k.k[:], []byte(strings.TrimSpace(string(b[:min(len(b), 65)])))); err != nil || n != len(k.k) {
		return nil, fmt.Errorf("%s: expected 64 hex digits", path)
	}
	return k, nil
}

// headJSON is a head in its file.
type headJSON struct {
	Chain      string `json:"chain"`
	Seq        uint64 `json:"seq"`
	Hash       string `json:"hash"`
	Time       int64  `json:"time"` // Unix microseconds
	Retired    uint64 `json:"retired,omitempty"`
	RetiredSum string `json:"retiredHash"`
	Sign       string `json:"hmac"`
}

func headPath(dir, chain string) string { return filepath.Join(dir, chain+headSuffix) }

func writeHead(dir string, k *headKey, h *Head) error {
	b, err := json.Marshal(headJSON{h.Chain, h.Seq, h.Sum.String(), h.Time.UnixMicro(), h.Retired, h.RetiredSum.String(), hex.EncodeToString(k.sign(h))})
	if err != nil {
		return err
	}
	return writeDurably(headPath(dir, h.Chain), append(b, '\n'), false)
}

// errUnsigned is a head that the installation's key did not sign.
var errUnsigned = errors.New("it is not signed with the key of this installation")

// readHead reads a head. Without a key its signature is not looked at.
func readHead(path string, k *headKey) (Head, error) {
	b, err := readLimited(path, maxHeadFile)
	if err != nil {
		return Head{}, err
	}
	var j headJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return Head{}, err
	}
	h := Head{Chain: j.Chain, Seq: j.Seq, Time: time.UnixMicro(j.Time).UTC(), Retired: j.Retired}
	var ok, okRetired bool
	h.Sum, ok = parseSum(j.Hash)
	h.RetiredSum, okRetired = parseSum(j.RetiredSum)
	if !ok || !okRetired || h.Chain+headSuffix != filepath.Base(path) {
		return Head{}, errors.New("it is not the head of the chain that its name says")
	}
	sign, err := hex.DecodeString(j.Sign)
	if k != nil && (err != nil || !hmac.Equal(sign, k.sign(&h))) {
		return Head{}, errUnsigned
	}
	return h, nil
}

// Heads returns the heads in a folder, the newest first. One that cannot be
// trusted is an error that names it; the others are returned with it.
func Heads(dir string) ([]Head, error) {
	const op = "audit.Heads"
	k, err := readKey(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, "the key that heads are signed with cannot be read", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"+headSuffix))
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	var heads []Head
	var bad []error
	for _, name := range names {
		h, err := readHead(name, k)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", filepath.Base(name), err))
			continue
		}
		heads = append(heads, h)
	}
	sort.Slice(heads, func(i, j int) bool { return heads[i].Time.After(heads[j].Time) })
	if len(bad) > 0 {
		return heads, fault.E(op, fault.Invalid, "a head cannot be trusted", errors.Join(bad...))
	}
	return heads, nil
}

// chainAlphabet: names that read well and stand in file names.
const chainAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

const chainLength = 10 // 50 bits

func newChainName(random io.Reader) (string, error) {
	var b [chainLength]byte
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	for i := range b {
		b[i] = chainAlphabet[b[i]&31]
	}
	return string(b[:]), nil
}

func chainName(s string) bool {
	return len(s) == chainLength && strings.Trim(s, chainAlphabet) == ""
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s: longer than %d bytes", path, limit)
	}
	return b, err
}

// writeDurably makes a file of mode 0600 that is whole or as it was before;
// with once, an existing one stays and is an error.
func writeDurably(path string, b []byte, once bool) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if once {
		err = os.Link(tmp.Name(), path)
	} else {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
