package store

import (
	"sync"

	"fiducial/internal/labeling"
)

// jobCache keeps jobs that have begun, for what never changes of them from
// then on: workers ask for it with every task. Nobody changes a job in it.
type jobCache struct {
	mu   sync.Mutex
	ids  map[int64]*labeling.Job
	keys map[string]*labeling.Job
}

// maxCachedJobs bounds the memory: a job may have a template of 128,000
// characters.
const maxCachedJobs = 256

func newJobCache() *jobCache {
	return &jobCache{ids: map[int64]*labeling.Job{}, keys: map[string]*labeling.Job{}}
}

func (c *jobCache) numbered(id int64) *labeling.Job {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ids[id]
}

func (c *jobCache) named(name string) *labeling.Job {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys[labeling.Key(name)]
}

// keep keeps a job unless its template and labels are still to be read.
func (c *jobCache) keep(j *labeling.Job) {
	if j.Status == labeling.Initializing || j.Template == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) >= maxCachedJobs {
		clear(c.ids)
		clear(c.keys)
	}
	c.ids[j.ID], c.keys[labeling.Key(j.Name)] = j, j
}

// plainLeases are assignments that this server handed out and whose jobs have no
// quality control, which no job gets later: to end them nobody need ask for it.
type plainLeases struct {
	mu  sync.Mutex
	ids map[string]bool
}

// maxPlain bounds the memory, to some megabytes.
const maxPlain = 50_000

func (p *plainLeases) note(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ids) >= maxPlain {
		clear(p.ids)
	}
	p.ids[id] = true
}

func (p *plainLeases) has(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ids[id]
}

func (p *plainLeases) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ids, id)
}
