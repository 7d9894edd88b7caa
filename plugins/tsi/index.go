package main

// index finds nodes by parent and name: an open-addressed hash table that is
// emptied by counting up.
type index struct {
	slots []slot // a power of two
	round uint32
	known int32 // nodes below are in it
}

type slot struct {
	round uint32 // the slot is free in any other
	hash  uint32
	node  int32
}

func (x *index) reset() {
	x.known = root + 1
	if x.round++; x.round == 0 {
		clear(x.slots)
		x.round = 1
	}
}

func (x *index) find(p *properties, parent int32, name []byte) (int32, bool) {
	h := hash(parent, name)
	mask := uint32(len(x.slots) - 1)
	for i := h & mask; x.slots[i].round == x.round; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.hash == h && p.nodes[s.node].parent == parent && string(p.name(s.node)) == string(name) {
			return s.node, true
		}
	}
	return root, false
}

// catchUp makes all nodes findable. It keeps at least half of the slots free.
func (x *index) catchUp(p *properties) {
	for ; int(x.known) < len(p.nodes); x.known++ {
		if 2*int(x.known) >= len(x.slots) {
			x.grow()
		}
		x.put(slot{round: x.round, hash: hash(p.nodes[x.known].parent, p.name(x.known)), node: x.known})
	}
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]slot, max(64, 2*len(old)))
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
func hash(parent int32, name []byte) uint32 {
	h := (2166136261 ^ uint32(parent)) * 16777619
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
