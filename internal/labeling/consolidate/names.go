package consolidate

import "strings"

// Names numbers ids in the order in which they first come.
type Names struct {
	list  []string
	index map[string]int32
}

// Number returns the number of an id, a new one if it has none.
func (n *Names) Number(id string) int32 {
	if i, ok := n.index[id]; ok {
		return i
	}
	if n.index == nil {
		n.index = make(map[string]int32)
	}
	i := int32(len(n.list))
	id = strings.Clone(id) // not the line of a file that it is part of
	n.index[id] = i
	n.list = append(n.list, id)
	return i
}

// Len is how many ids have a number; Name(0..Len-1) are the ids.
func (n *Names) Len() int { return len(n.list) }

// Name is the id with number i.
func (n *Names) Name(i int32) string { return n.list[i] }
