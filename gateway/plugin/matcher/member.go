package matcher

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"github.com/headgate/headgate/gateway/filter"
)

// member is a filter of a set, with what the set needs to know of it. It is
// immutable and shared with the sets that follow.
type member struct {
	filter  *filter.Filter
	text    string   // canonical
	order   string   // members that the same events match stand together by it
	need    need     // what an event must hold to match
	types   []string // the event types that can match …
	anyType bool     // … unless any can
}

func (r *Runtime) newMember(f *filter.Filter) *member {
	requirement := f.Requirement()
	types, ok := f.Types()
	return &member{
		filter: f, text: f.String(), need: r.need(requirement),
		order: order(types, requirement), types: types, anyType: !ok,
	}
}

func compareMembers(a, b *member) int {
	return cmp.Or(strings.Compare(a.order, b.order), strings.Compare(a.text, b.text))
}

// order is the types of a filter and then the equalities that it insists on,
// by their fields.
func order(types []string, r filter.Requirement) string {
	const most = 100 // bytes of a value; the rest is left to the text
	var equalities []string
	parts := r.Parts
	if r.Kind != filter.AllOf {
		parts = []filter.Requirement{r}
	}
	for _, p := range parts {
		if p.Kind == filter.Equals {
			value := p.Value.Text()
			equalities = append(equalities, p.Field.String()+"\x01"+value[:min(len(value), most)])
		}
	}
	slices.Sort(equalities)
	first := strings.Join(types, "\x01")
	return first[:min(len(first), most)] + "\x00" + strings.Join(equalities, "\x00")
}

// need is a [filter.Requirement] with hashes for its equalities.
type need struct {
	kind  filter.RequirementKind
	field filter.Field // of Equals
	hash  uint64       // of Equals: of field and value
	parts []need
}

func (r *Runtime) need(q filter.Requirement) need {
	n := need{kind: q.Kind}
	if q.Kind == filter.Equals {
		n.field = q.Field
		n.hash = r.hashField(q.Field) ^ r.hashValue(q.Value)
	}
	for _, p := range q.Parts {
		n.parts = append(n.parts, r.need(p))
	}
	return n
}

func (r *Runtime) hashField(f filter.Field) uint64 {
	return mix(maphash.String(r.seed, f.Path) + uint64(f.From))
}

func (r *Runtime) hashValue(v filter.Value) uint64 {
	switch v.Kind {
	case filter.String:
		return maphash.String(r.seed, v.String)
	case filter.Number:
		return hashNumber(v.Number)
	}
	return hashKind(v.Kind)
}

// hashNumber gives the two zeros, which are equal, one hash.
func hashNumber(v float64) uint64 {
	if v == 0 {
		v = 0
	}
	return mix(math.Float64bits(v))
}

func hashKind(k filter.Kind) uint64 { return mix(uint64(k)) }

// mix spreads the bits of a hash.
func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}
