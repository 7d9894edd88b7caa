package broker

import "time"

// duplicates remembers message ids for a while. Its zero value is empty.
type duplicates struct {
	until map[string]time.Time
	order []remembered // oldest first, since the window is the same for all
}

type remembered struct {
	id    string
	until time.Time
}

// seen is whether id was seen within the window before now, and remembers it
// if not. A message without an id is like no other.
func (d *duplicates) seen(id string, now time.Time, window time.Duration) bool {
	if id == "" {
		return false
	}
	for len(d.order) > 0 && !d.order[0].until.After(now) {
		delete(d.until, d.order[0].id)
		d.order = d.order[1:]
	}
	if _, ok := d.until[id]; ok {
		return true
	}
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	until := now.Add(window)
	d.until[id] = until
	d.order = append(d.order, remembered{id, until})
	return false
}
