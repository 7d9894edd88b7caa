package broker

// heap is a binary heap whose elements know their place in it, so that any of
// them can be moved or removed. moved is called with -1 for one that leaves.
type heap[T any] struct {
	items  []T
	before func(x, y T) bool
	moved  func(x T, place int)
}

func (h *heap[T]) push(x T) {
	h.items = append(h.items, x)
	h.up(len(h.items) - 1)
}

func (h *heap[T]) remove(place int) T {
	x, last := h.items[place], len(h.items)-1
	h.items[place] = h.items[last]
	var zero T
	h.items[last] = zero
	h.items = h.items[:last]
	if place < last {
		h.fix(place)
	}
	h.moved(x, -1)
	return x
}

// fix restores the order after the element at place has changed.
func (h *heap[T]) fix(place int) {
	if place > 0 && h.before(h.items[place], h.items[(place-1)/2]) {
		h.up(place)
		return
	}
	h.down(place)
}

func (h *heap[T]) up(place int) {
	x := h.items[place]
	for place > 0 {
		parent := (place - 1) / 2
		if !h.before(x, h.items[parent]) {
			break
		}
		h.put(place, h.items[parent])
		place = parent
	}
	h.put(place, x)
}

func (h *heap[T]) down(place int) {
	x := h.items[place]
	for {
		child := 2*place + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.before(h.items[right], h.items[child]) {
			child = right
		}
		if !h.before(h.items[child], x) {
			break
		}
		h.put(place, h.items[child])
		place = child
	}
	h.put(place, x)
}

func (h *heap[T]) put(place int, x T) {
	h.items[place] = x
	h.moved(x, place)
}
