package exchange

import (
	"slices"

	"fiducial/internal/fault"
)

// Classes are the class ids and names that occur in a manifest.
type Classes struct {
	names map[int]string
	ids   map[string]int
}

// NewClasses begins with the categories of a label category file, whose
// positions are their ids.
func NewClasses(names []string) *Classes {
	c := &Classes{names: map[int]string{}, ids: map[string]int{}}
	for i, n := range names {
		c.names[i] = n
		if _, ok := c.ids[n]; !ok {
			c.ids[n] = i
		}
	}
	return c
}

// Learn notes what a line calls a class. One id with two names is refused: a
// format has one list of classes.
func (c *Classes) Learn(r *Record, id int, name string) error {
	if had, ok := c.names[id]; ok {
		if had != name {
			return refuse(r.Line, "it calls the class %d %s, which is %s elsewhere: export one labeling job at a time", id, quote(name), quote(had))
		}
		return nil
	}
	return c.set(id, name)
}

// ID is the id of a name, a new one if the name has none.
func (c *Classes) ID(name string) (int, error) {
	if id, ok := c.ids[name]; ok {
		return id, nil
	}
	id := len(c.names)
	for {
		if _, taken := c.names[id]; !taken {
			break
		}
		id++
	}
	return id, c.set(id, name)
}

// Name is what a class is called.
func (c *Classes) Name(id int) (string, bool) {
	n, ok := c.names[id]
	return n, ok
}

// Set names a class that may not have a name yet.
func (c *Classes) Set(id int, name string) error {
	if had, ok := c.names[id]; ok && had != name {
		return fault.Newf("exchange.Classes", fault.Invalid, "the class %d is called %s and %s", id, quote(had), quote(name))
	}
	return c.set(id, name)
}

func (c *Classes) set(id int, name string) error {
	if len(c.names) >= MaxClasses {
		return fault.Newf("exchange.Classes", fault.Limit, "there are more than %d classes", MaxClasses)
	}
	if id < 0 || id > MaxClassID {
		return fault.Newf("exchange.Classes", fault.Invalid, "%d is not a class id: expected a whole number from 0 to %d", id, MaxClassID)
	}
	c.names[id] = name
	if _, ok := c.ids[name]; !ok {
		c.ids[name] = id
	}
	return nil
}

// IDs are the ids in ascending order.
func (c *Classes) IDs() []int {
	ids := make([]int, 0, len(c.names))
	for id := range c.names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// List is the names by id without holes, for formats that have only positions:
// an id that does not occur gets a placeholder. most bounds the list.
func (c *Classes) List(most int, placeholder func(id int) string) ([]string, error) {
	ids := c.IDs()
	if len(ids) == 0 {
		return nil, nil
	}
	last := ids[len(ids)-1]
	if last >= most {
		return nil, fault.Newf("exchange.Classes", fault.Invalid, "the class id %d is too large for this format, which numbers its classes without holes: expected ids below %d", last, most)
	}
	list := make([]string, last+1)
	for id := range list {
		name, ok := c.names[id]
		if !ok {
			name = placeholder(id)
		}
		list[id] = name
	}
	return list, nil
}
