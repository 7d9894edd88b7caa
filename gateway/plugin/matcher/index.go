package matcher

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/gateway/filter"
)

// index finds the members of a set that an event may match, by the values that
// they insist on. It is a tree: a branch looks up what an event holds for some
// fields, and what it finds are members, or a branch that tells them apart by
// other fields. What it finds is a superset of what matches. It is immutable.
type index struct {
	branches []branch         // the first is the root
	entries  map[uint64]entry // by step
	postings []posting
	fields   []filter.Field // that branches look at
	// parse says for which event types the root looks into the data.
	parse      map[string]bool
	parseEvery bool
}

// branch is a place in the tree.
type branch struct {
	always     span     // members that no value here rules out
	attributes []uint32 // the fields to look up, as indexes into the index's
	data       []uint32 // likewise, those that are read from the event's data
}

// entry is what an event that holds a value at a branch comes to.
type entry struct {
	members span
	branch  uint32 // 0 for none
}

// span is a part of the postings.
type span struct{ start, end uint32 }

// posting is members of one group, by bit.
type posting struct {
	group uint32
	mask  uint64
}

// step is the key of an entry: a value at a branch. Two that share one make more
// members be tried than need be, and nothing else.
func step(branch uint32, value uint64) uint64 {
	return mix(value + uint64(branch)*0x9e3779b97f4a7c15)
}

// Bounds of an index. What goes beyond them is tried on more events.
const (
	smallBucket = 8       // members that are not worth telling apart further
	maxLevels   = 4       // of branches
	maxKeys     = 1024    // values that one member is filed under at a branch
	keysEach    = 64      // values that members are filed under, on average
	workEach    = 200     // steps that building the tree takes, on average
	leastWork   = 200_000 // steps that are of no account
)

// indexer builds an index.
type indexer struct {
	*index
	members []*member // by place; nil where there is none
	numbers map[filter.Field]uint32
	work    int // how much more may be done
	room    int // for how many more values
}

// newIndex returns the index of members, which stand at the bit of the group that
// their position gives as group·64 + bit; nil ones are none.
func newIndex(members []*member) *index {
	b := indexer{
		index:   &index{entries: make(map[uint64]entry), parse: make(map[string]bool)},
		members: members, numbers: make(map[filter.Field]uint32),
	}
	var places []uint32
	for place, m := range members {
		if m != nil && m.need.kind != filter.Never {
			places = append(places, uint32(place))
		}
	}
	b.work = max(leastWork, workEach*len(places))
	b.room = max(maxKeys, keysEach*len(places))
	b.branches = append(b.branches, branch{})
	b.grow(0, places, b.count(places), 1)
	return b.index
}

// filing is a member filed under one value.
type filing struct {
	hash  uint64
	field filter.Field
	place uint32
}

// grow fills branch n, which tells places apart by values that counts says how
// many of them share.
func (b *indexer) grow(n uint32, places []uint32, counts map[uint64]int, level int) {
	most := len(places) / 2 // members under the values of one, for it to be worth it
	if level == 1 {
		most = len(places)*maxKeys + 1
	}
	var filings []filing
	var rest []uint32
	for _, place := range places {
		var c choice
		if b.room > 0 {
			c = choose(&b.members[place].need, counts, most)
		}
		if !c.found {
			rest = append(rest, place)
			continue
		}
		b.room -= len(c.keys)
		for _, key := range c.keys {
			filings = append(filings, filing{key.hash, key.field, place})
		}
		if level == 1 {
			b.noteTypes(c.keys, b.members[place])
		}
	}
	slices.SortFunc(filings, func(x, y filing) int { return cmp.Or(cmp.Compare(x.hash, y.hash), cmp.Compare(x.place, y.place)) })
	b.branches[n].always = b.post(rest)
	b.noteFields(n, filings)
	for start := 0; start < len(filings); {
		end := start + 1
		for end < len(filings) && filings[end].hash == filings[start].hash {
			end++
		}
		bucket := make([]uint32, 0, end-start)
		for _, f := range filings[start:end] {
			bucket = append(bucket, f.place)
		}
		b.entries[step(n, filings[start].hash)] = b.entry(slices.Compact(bucket), level)
		start = end
	}
}

// entry files places, by a branch of their own when that tells them apart.
func (b *indexer) entry(places []uint32, level int) entry {
	if len(places) > smallBucket && level < maxLevels && b.work > 0 {
		if counts := b.count(places); b.divisible(places, counts) {
			n := uint32(len(b.branches))
			b.branches = append(b.branches, branch{})
			b.grow(n, places, counts, level+1)
			return entry{branch: n}
		}
	}
	return entry{members: b.post(places)}
}

// divisible reports whether a branch would tell half of places apart.
func (b *indexer) divisible(places []uint32, counts map[uint64]int) bool {
	apart := 0
	for _, place := range places {
		if choose(&b.members[place].need, counts, len(places)/2).found {
			apart++
		}
	}
	return apart*2 >= len(places)
}

// count says for each value how many of places insist on it.
func (b *indexer) count(places []uint32) map[uint64]int {
	counts := make(map[uint64]int, len(places))
	for _, place := range places {
		b.work -= b.members[place].need.count(counts)
	}
	return counts
}

func (n *need) count(counts map[uint64]int) (work int) {
	if n.kind == filter.Equals {
		counts[n.hash]++
	}
	for i := range n.parts {
		work += n.parts[i].count(counts)
	}
	return work + 1
}

// choice is how a member is filed at a branch.
type choice struct {
	found bool
	cost  int     // how many members, with repetitions, stand under its keys
	rank  int     // of choices of equal cost the lowest is taken
	keys  []*need // equalities, one of which an event meets
}

// choose returns what to file a member with need n under: equalities that the
// fewest others share, at most as many as most says.
func choose(n *need, counts map[uint64]int, most int) choice {
	switch n.kind {
	case filter.Equals:
		if c := counts[n.hash]; c <= most {
			return choice{true, c, rank(n.field), []*need{n}}
		}
	case filter.AllOf:
		var best choice
		for i := range n.parts {
			c := choose(&n.parts[i], counts, most)
			if c.found && (!best.found || c.cost < best.cost || c.cost == best.cost && c.rank < best.rank) {
				best = c
			}
		}
		return best
	case filter.AnyOf:
		sum := choice{found: true}
		for i := range n.parts {
			c := choose(&n.parts[i], counts, most-sum.cost)
			if !c.found || len(sum.keys)+len(c.keys) > maxKeys {
				return choice{}
			}
			sum.cost += c.cost
			sum.rank = max(sum.rank, c.rank)
			sum.keys = append(sum.keys, c.keys...)
		}
		return sum
	}
	return choice{}
}

// rank orders fields that tell filters apart equally well: what tells more in
// other tables first, and what has to be parsed after what has not.
func rank(f filter.Field) int {
	switch {
	case f.From == filter.Changed:
		return 5
	case f.From == filter.Patch:
		return 3
	case f.From == filter.Body:
		return 1
	case f.Path == "specversion", f.Path == "datacontenttype":
		return 6
	case f.Path == "type":
		return 4
	case f.Path == "dataschema":
		return 2
	}
	return 0
}

// noteTypes keeps for which event types data is looked into at the root, where m
// is filed under keys.
func (b *indexer) noteTypes(keys []*need, m *member) {
	if !slices.ContainsFunc(keys, func(n *need) bool { return readsData(n.field) }) {
		return
	}
	b.parseEvery = b.parseEvery || m.anyType
	for _, typ := range m.types {
		b.parse[typ] = true
	}
}

// noteFields lists for branch n the fields of filings.
func (b *indexer) noteFields(n uint32, filings []filing) {
	seen := make(map[filter.Field]bool)
	for at, f := range filings {
		if at > 0 && f.field == filings[at-1].field || seen[f.field] {
			continue
		}
		seen[f.field] = true
		i, ok := b.numbers[f.field]
		if !ok {
			i = uint32(len(b.fields))
			b.numbers[f.field] = i
			b.fields = append(b.fields, f.field)
		}
		if readsData(f.field) {
			b.branches[n].data = append(b.branches[n].data, i)
		} else {
			b.branches[n].attributes = append(b.branches[n].attributes, i)
		}
	}
}

// post adds postings for places, which ascend.
func (b *indexer) post(places []uint32) span {
	start := uint32(len(b.postings))
	for _, place := range places {
		group, bit := place/filter.MaxFilters, uint64(1)<<(place%filter.MaxFilters)
		if last := len(b.postings) - 1; uint32(len(b.postings)) > start && b.postings[last].group == group {
			b.postings[last].mask |= bit
		} else {
			b.postings = append(b.postings, posting{group, bit})
		}
	}
	return span{start, uint32(len(b.postings))}
}
