package main

// index finds nodes by parent and name: an open-addressed hash table that is
// emptied by counting up.
type index struct {
	slots []slot // a power of two
	round uint32
}

type slot struct {
	round uint32 // the slot is free in any other
	hash  uint32
	node  int
}

func (x *index) reset() {
	if x.round++; x.round == 0 {
		clear(x.slots)
		x.round = 1
	}
}

func (x *index) find(p *properties, parent int, name []byte) (int, bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	h := hash(parent, name)
	mask := uint32(len(x.slots) - 1)
	for i := h & mask; x.slots[i].round == x.round; i = (i + 1) & mask {
		n := x.slots[i].node
		if x.slots[i].hash == h && p.nodes[n].parent == parent && string(p.name(n)) == string(name) {
			return n, true
		}
	}
	return 0, false
}

// add makes node n findable. It keeps at least half of the slots free.
func (x *index) add(p *properties, n int) {
	if 2*len(p.nodes) > len(x.slots) {
		x.grow()
	}
	x.put(slot{round: x.round, hash: hash(p.nodes[n].parent, p.name(n)), node: n})
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]slot, max(32, 2*len(old)))
	for _, s := range old {
		if s.round == x.round {
			x.put(s)
		}
	}
}

func (x *index) put(s slot) {
	mask := uint32(len(x.slots) - 1)
	i := s.hash & mask
	for x.slots[i].round == x.round {
		i = (i + 1) & mask
	}
	x.slots[i] = s
}

// hash is FNV-1a.
func hash(parent int, name []byte) uint32 {
	h := (2166136261 ^ uint32(parent)) * 16777619
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
