package objects

import (
	"strconv"
	"testing"

	"fiducial/internal/blob"
)

// A row that was read before a write and arrives after it is not kept: it would
// be served for ever.
func TestCacheRefusesRowsOlderThanAWrite(t *testing.T) {
	c := newCache[int](100)
	_, gen, _ := c.get("k") // a reader misses, and reads 1 from the store
	c.drop("k")             // a writer commits 2
	c.put("k", 1, gen)      // the reader comes back
	if v, _, ok := c.get("k"); ok {
		t.Errorf("the cache serves %d", v)
	}
	_, gen, _ = c.get("k")
	c.put("k", 2, gen)
	if v, _, ok := c.get("k"); !ok || v != 2 {
		t.Errorf("the cache does not serve the present row: %d %v", v, ok)
	}
}

func TestCacheIsBounded(t *testing.T) {
	const rows = 320
	c := newCache[int](rows)
	for i := range 10000 {
		name := strconv.Itoa(i)
		_, gen, _ := c.get(name)
		c.put(name, i, gen)
		if i%2 == 0 {
			c.get("0") // is used all the time
		}
	}
	n := 0
	for i := range c.shard {
		n += len(c.shard[i].new) + len(c.shard[i].aged)
	}
	if n > rows {
		t.Errorf("%d rows are kept, %d at most", n, rows)
	}
	if _, _, ok := c.get("0"); !ok {
		t.Error("a row in steady use was pushed out")
	}
}

func TestCacheWeighs(t *testing.T) {
	const total = 1 << 20
	c := newCache[[]byte](total)
	c.weigh = func(b []byte) int { return len(b) }
	for i := range 5000 {
		name := strconv.Itoa(i)
		_, gen, _ := c.get(name)
		c.put(name, make([]byte, i), gen)
		if i%7 == 0 {
			c.drop(name)
		}
	}
	sum := 0
	for i := range c.shard {
		s, size := &c.shard[i], 0
		for _, b := range s.new {
			size += len(b)
		}
		if size != s.size {
			t.Errorf("shard %d weighs %d and believes %d", i, size, s.size)
		}
		for _, b := range s.aged {
			size += len(b)
		}
		sum += size
	}
	if sum > total || sum < total/4 {
		t.Errorf("%d bytes are kept of %d", sum, total)
	}
}

func TestNoCache(t *testing.T) {
	var c *cache[int]
	c.put("a", 1, 0)
	c.drop("a")
	if _, _, ok := c.get("a"); ok {
		t.Error("a cache that is off serves")
	}
}

// Blobs in use are removed by their last reader, and a reader that comes while
// they are going is told to look again.
func TestReaders(t *testing.T) {
	parts := []Segment{{Blob: "a"}, {Blob: "b"}}
	var r readers
	for range 2 {
		if !r.hold(parts) {
			t.Fatal("cannot hold")
		}
	}
	if unused := r.doom([]blob.ID{"a", "b", "c"}); len(unused) != 1 || unused[0] != "c" {
		t.Errorf("unused: %v", unused)
	}
	if r.hold(parts) {
		t.Error("held what is going")
	}
	if free := r.release(parts); len(free) != 0 {
		t.Errorf("freed %v under a reader", free)
	}
	if free := r.release(parts); len(free) != 2 {
		t.Errorf("the last reader freed %v", free)
	}
	r.forget([]blob.ID{"a", "b", "c"})
	if len(r.using)+len(r.freed) != 0 {
		t.Errorf("left over: %v %v", r.using, r.freed)
	}
}
