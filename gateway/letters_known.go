package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/causes"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/journal"
)

// letterStore is the dead letters on disk, with an index of their causes that
// follows every change.
type letterStore struct {
	*journal.Spool
	causes *causes.Index
	known  chan struct{} // closed when the letters of the last run are in the index
}

var _ dispatch.Spool = letterStore{}

func newLetterStore(s *journal.Spool) letterStore {
	return letterStore{s, causes.NewIndex(), make(chan struct{})}
}

// Replace implements [dispatch.Spool].
func (s letterStore) Replace(ctx context.Context, refs []delivery.Ref, letters []delivery.DeadLetter) ([]delivery.Ref, error) {
	placed, err := s.Spool.Replace(ctx, refs, letters)
	for _, ref := range refs {
		// Some may be gone although there was an error.
		if err == nil || !s.Has(ref) {
			s.causes.Remove(ref)
		}
	}
	for i, ref := range placed {
		s.causes.Kept(letters[i].Delivery.Endpoint)
		s.enter(delivery.Kept{Ref: ref, DeadLetter: letters[i]})
	}
	return placed, err
}

// Remove makes it durable that the letters refs are no longer kept.
func (s letterStore) Remove(ctx context.Context, refs []delivery.Ref) error {
	_, err := s.Replace(ctx, refs, nil)
	return err
}

// enter puts a letter into the index, unless somebody removed it meanwhile.
func (s letterStore) enter(k delivery.Kept) {
	s.causes.Put(k)
	if !s.Has(k.Ref) {
		s.causes.Remove(k.Ref)
	}
}

// learn brings the letters of the last run into the index.
func (g *Gateway) learnLetters() {
	begun, n := time.Now(), 0
	for k, err := range g.letters.All(g.background) {
		if g.background.Err() != nil {
			return
		}
		if err != nil {
			g.log.Error("a dead letter cannot be read, and is in no group", "letter", k.Ref, "err", err)
			continue
		}
		g.letters.enter(k)
		n++
	}
	close(g.letters.known)
	if took := time.Since(begun); took > time.Second {
		g.log.Info("the dead letters of the last run are grouped", "letters", n, "took", took)
	}
}

// whenKnown waits until all letters are in the index, or ctx ends.
func (s letterStore) whenKnown(ctx context.Context) error {
	select {
	case <-s.known:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the dead letters of the last run are still being read: %w", ctx.Err())
	}
}

// ofGroup returns all letters of a group, in order.
func (s letterStore) ofGroup(ctx context.Context, id string) ([]delivery.Ref, error) {
	if err := s.whenKnown(ctx); err != nil {
		return nil, err
	}
	refs, ok := s.causes.Letters(id, delivery.Ref{}, 0)
	if !ok || len(refs) == 0 {
		return nil, &catalog.NotFoundError{Kind: "group of dead letters", Name: id}
	}
	return refs, nil
}

// LetterGroups lists dead letters by their cause; see [admin.LetterGroups].
func (g *Gateway) LetterGroups(_ context.Context, q admin.GroupQuery) (catalog.LetterGroups, error) {
	known := false
	select {
	case <-g.letters.known:
		known = true
	default:
	}
	listed := g.letters.causes.List(q.Endpoint, q.Steps, time.Now())
	if len(listed.Groups) == 0 {
		if err := g.knows(q.Endpoint); err != nil {
			return catalog.LetterGroups{}, err
		}
	}
	out := catalog.LetterGroups{
		Items: []catalog.LetterGroup{}, Groups: len(listed.Groups), Letters: listed.Letters, Newest: listed.Newest, Complete: known,
		Series: catalog.LetterSteps{From: listed.From, StepSeconds: listed.Step.Seconds(), Steps: q.Steps},
	}
	for _, group := range listed.Groups[:min(len(listed.Groups), q.Limit)] {
		item := catalog.LetterGroup{
			ID: group.ID, Endpoint: group.Endpoint, Cause: group.Cause, Example: group.Example, Count: group.Count,
			Routes: []catalog.RouteCount{}, First: group.First, Last: group.Last, Series: group.Series,
		}
		for _, r := range group.Routes {
			item.Routes = append(item.Routes, catalog.RouteCount{ID: r.Route, Count: r.Count})
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// lettersOfGroup returns those of a group that q asks for.
func (g *Gateway) lettersOfGroup(ctx context.Context, q admin.LetterQuery) ([]delivery.Kept, error) {
	if err := g.letters.whenKnown(ctx); err != nil {
		return nil, err
	}
	found := []delivery.Kept{}
	for after := q.After; len(found) < q.Limit; {
		refs, ok := g.letters.causes.Letters(q.Group, after, min(q.Limit-len(found), letterPage))
		if !ok {
			return nil, &catalog.NotFoundError{Kind: "group of dead letters", Name: q.Group}
		}
		if len(refs) == 0 {
			break
		}
		for _, ref := range refs {
			after = ref
			letter, err := g.letters.Get(ctx, ref)
			if errors.Is(err, journal.ErrNotFound) {
				continue // it was removed meanwhile
			}
			if err != nil {
				return nil, err
			}
			if (q.Route == "" || letter.Delivery.Route == q.Route) && (q.Endpoint == "" || letter.Delivery.Endpoint == q.Endpoint) {
				found = append(found, delivery.Kept{Ref: ref, DeadLetter: letter})
			}
		}
	}
	return found, nil
}
