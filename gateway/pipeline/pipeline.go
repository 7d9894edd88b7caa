// Package pipeline runs events through the stages of a route.
//
// A [Pipeline] is an ordered list of stages, immutable and shared by every
// goroutine that evaluates the route.
package pipeline

import (
	"context"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Item is one event on its way through a route.
type Item struct {
	// Origin is the index of the accepted event in the batch that entered the
	// pipeline. Items of one origin are adjacent, and origins ascend.
	Origin int
	// Source is the accepted event as it entered the pipeline, and Position
	// its place in the journal: what a stage may derive time or a seed from.
	Source   *event.Event
	Position event.Position

	// Event is what the next stage sees. A stage never modifies it in place.
	Event *event.Event
	// Properties are nil until a stage sets some.
	Properties *delivery.Properties

	// Fuel is what the plugins have used for the event so far, in their unit;
	// each of several outputs of one event carries all of it.
	Fuel int64

	// Err says why the event cannot go on, in words for a dead letter. Later
	// stages pass such an item by.
	Err error
}

// Stage is one step of a route. Filter plugins and transforms implement it.
type Stage interface {
	// Run appends to out what becomes of the items of in, in order: none for
	// one that is dropped, one or more for one that goes on, and one with Err
	// set for one that failed. No item of in has Err set.
	//
	// An error means that the stage itself could not run, so that nothing is
	// known of any item; what was appended is discarded, and the batch may be
	// run again.
	Run(ctx context.Context, in, out []Item) ([]Item, error)
}

// Pipeline runs its stages in order. The zero value passes everything.
type Pipeline struct {
	stages []Stage
}

// New returns a pipeline of stages.
func New(stages ...Stage) Pipeline { return Pipeline{stages: stages} }

// Len is the number of stages.
func (p Pipeline) Len() int { return len(p.stages) }

// Buffer holds the memory of a run, so that the next run of the same goroutine
// needs none.
type Buffer struct {
	items, next []Item
}

// Reset lets go of what the last run left in b, and keeps the memory.
func (b *Buffer) Reset() {
	clear(b.items)
	clear(b.next)
	b.items, b.next = b.items[:0], b.next[:0]
}

// Run passes in through all stages and returns what came out, which is valid
// until buf is used again. The error is that of a stage that could not run.
func (p Pipeline) Run(ctx context.Context, in []Item, buf *Buffer) ([]Item, error) {
	clear(buf.items)
	buf.items = append(buf.items[:0], in...)
	for _, stage := range p.stages {
		if len(buf.items) == 0 {
			break
		}
		if err := buf.step(ctx, stage); err != nil {
			return nil, err
		}
	}
	return buf.items, nil
}

// step runs one stage over the items that can go on, and keeps the others in
// their places.
func (b *Buffer) step(ctx context.Context, stage Stage) error {
	clear(b.next)
	b.next = b.next[:0]
	for start := 0; start < len(b.items); {
		if b.items[start].Err != nil {
			b.next = append(b.next, b.items[start])
			start++
			continue
		}
		end := start + 1
		for end < len(b.items) && b.items[end].Err == nil {
			end++
		}
		out, err := stage.Run(ctx, b.items[start:end], b.next)
		if err != nil {
			return err
		}
		b.next = out
		start = end
	}
	b.items, b.next = b.next, b.items
	return nil
}
