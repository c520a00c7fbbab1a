package classes

// cells number what is estimated of workers: a cell is how often one worker
// says one label where another is true. Where all combinations are few beside
// the votes, each has a cell; else only those that occur in some item do.
type cells struct {
	// at has, for each item, for each of its votes, for each of the item's
	// candidates, the cell (worker, label, candidate).
	at []int32

	sum  []int32 // cell -> its (worker, class), over whose labels chances sum to 1
	pool []int32 // cell -> its (label, class), which all workers share

	worker []int32 // (worker, class) -> worker
	label  []int32 // (label, class) -> label
	class  []int32 // (label, class) -> class
}

// fewCells is how many cells may be made without counting which are needed.
const fewCells = 1 << 16

func newCells(v *Votes, c *candidates) *cells {
	k, w := v.classes, v.workers
	if few := max(fewCells, len(v.label)/2); k < few && w < few && k*k < few && w*k*k <= few {
		return denseCells(v, c)
	}
	return sparseCells(v, c)
}

func (x *cells) reserve(v *Votes, c *candidates) {
	n := 0
	for i := range v.items {
		workers, _ := v.of(i)
		from, to := c.of(i)
		n += len(workers) * (to - from)
	}
	x.at = make([]int32, n)
}

func denseCells(v *Votes, c *candidates) *cells {
	k, w := v.classes, v.workers
	x := &cells{sum: make([]int32, w*k*k), pool: make([]int32, w*k*k), worker: make([]int32, w*k), label: make([]int32, k*k), class: make([]int32, k*k)}
	for n := range x.sum {
		x.sum[n], x.pool[n] = int32(n/(k*k)*k+n%k), int32(n%(k*k))
	}
	for n := range x.worker {
		x.worker[n] = int32(n / k)
	}
	for n := range x.label {
		x.label[n], x.class[n] = int32(n/k), int32(n%k)
	}
	x.reserve(v, c)
	n := 0
	for i := range v.items {
		workers, labels := v.of(i)
		from, to := c.of(i)
		for j, w := range workers {
			row := (int(w)*k + int(labels[j])) * k
			for _, class := range c.class[from:to] {
				x.at[n] = int32(row + int(class))
				n++
			}
		}
	}
	return x
}

// numbering numbers pairs of numbers.
type numbering map[[2]int32]int32

func (n numbering) number(a, b int32, next int) (number int32, found bool) {
	if at, ok := n[[2]int32{a, b}]; ok {
		return at, true
	}
	n[[2]int32{a, b}] = int32(next)
	return int32(next), false
}

// sparseCells goes through the votes worker by worker, so that what it must
// remember is one worker's.
func sparseCells(v *Votes, c *candidates) *cells {
	x := &cells{}
	x.reserve(v, c)
	pools, own, sums := numbering{}, numbering{}, numbering{}
	byWorker := newByWorker(v, c)
	for w := range v.workers {
		clear(own)
		clear(sums)
		for _, e := range byWorker.of(w) {
			label := v.label[e.vote]
			from, to := c.of(int(e.item))
			for a, class := range c.class[from:to] {
				cell, known := own.number(label, class, len(x.sum))
				if !known {
					x.add(int32(w), label, class, sums, pools)
				}
				x.at[int(e.at)+a] = cell
			}
		}
	}
	return x
}

// add makes a cell.
func (x *cells) add(worker, label, class int32, sums, pools numbering) {
	sum, known := sums.number(worker, class, len(x.worker))
	if !known {
		x.worker = append(x.worker, worker)
	}
	pool, known := pools.number(label, class, len(x.label))
	if !known {
		x.label, x.class = append(x.label, label), append(x.class, class)
	}
	x.sum, x.pool = append(x.sum, sum), append(x.pool, pool)
}

// byWorker are the votes sorted by worker.
type byWorker struct {
	start []int32
	votes []placed
}

// placed is a vote with its item and where its cells begin.
type placed struct{ vote, item, at int32 }

func newByWorker(v *Votes, c *candidates) *byWorker {
	b := &byWorker{start: make([]int32, v.workers+2), votes: make([]placed, len(v.worker))}
	for _, w := range v.worker {
		b.start[w+2]++
	}
	for w := range v.workers {
		b.start[w+2] += b.start[w+1]
	}
	at := int32(0)
	for i := range v.items {
		workers, _ := v.of(i)
		from, to := c.of(i)
		for j, w := range workers {
			b.votes[b.start[w+1]] = placed{v.start[i] + int32(j), int32(i), at}
			b.start[w+1]++
			at += int32(to - from)
		}
	}
	return b
}

func (b *byWorker) of(w int) []placed { return b.votes[b.start[w]:b.start[w+1]] }
