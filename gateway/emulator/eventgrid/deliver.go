package eventgrid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// concurrent bounds the deliveries under way to one subscriber.
const concurrent = 16

// schedule holds the waits before the second attempt and those after it. Each
// later one is the last again.
var schedule = [...]time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// leastWait is what an answer makes of a shorter wait.
func leastWait(status int) time.Duration {
	switch status {
	case http.StatusNotFound:
		return 5 * time.Minute
	case http.StatusRequestTimeout:
		return 2 * time.Minute
	case http.StatusServiceUnavailable:
		return 30 * time.Second
	}
	return 10 * time.Second
}

// isFinal reports whether a webhook's answer ends all attempts.
func isFinal(status int) bool {
	return slices.Contains([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge}, status)
}

// deliver sends what sub has to send until ctx ends, and then waits for what
// is under way.
func (s *Server) deliver(ctx context.Context, sub *subscription) {
	var sending sync.WaitGroup
	defer sending.Wait()
	slots := make(chan struct{}, concurrent)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		batch := s.nextDue(ctx, sub)
		if batch == nil {
			return
		}
		sending.Go(func() {
			defer func() { <-slots }()
			s.attempt(ctx, sub, batch)
		})
	}
}

// nextDue waits for something to send. It returns nil once ctx has ended.
func (s *Server) nextDue(ctx context.Context, sub *subscription) []*delivery {
	for {
		s.mu.Lock()
		batch, wait := sub.due(s.clock.Now(), s.opts.Keep)
		s.mu.Unlock()
		if batch != nil {
			return batch
		}
		var later <-chan time.Time
		if wait > 0 {
			later = s.clock.After(wait)
		}
		select {
		case <-sub.wake:
		case <-later:
		case <-ctx.Done():
			return nil
		}
	}
}

// attempt makes one request of batch, and decides what becomes of it.
func (s *Server) attempt(ctx context.Context, sub *subscription, batch []*delivery) {
	status, outcome := s.post(ctx, sub, batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	sub.sending -= len(batch)
	for _, d := range batch {
		d.attempts++
		d.tried, d.outcome = now, outcome
		switch {
		case status >= 200 && status <= 204:
			sub.delivered++
		case isFinal(status):
			sub.bury(d, "UndeliverableDueToClientError", s.opts.Keep)
		case d.attempts >= sub.MaxDeliveryAttempts:
			sub.bury(d, "MaxDeliveryAttemptsExceeded", s.opts.Keep)
		default:
			wait := max(schedule[min(d.attempts, len(schedule))-1], leastWait(status))
			// What expires before that becomes a dead letter when it does.
			d.due = now.Add(min(wait, d.published.Add(sub.ttl()).Sub(now)))
			sub.push(d)
		}
	}
}

// post makes the request. It returns the answer's status, 0 for none, and the
// word for it in dead letters.
func (s *Server) post(ctx context.Context, sub *subscription, batch []*delivery) (int, string) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	contentType, body := sub.encode(batch)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.EndpointURL, bytes.NewReader(body))
	if err != nil {
		return 0, "GenericError"
	}
	sub.setHeaders(r, "Notification", contentType)
	r.Header.Set("Aeg-Delivery-Count", strconv.Itoa(batch[0].attempts))
	if sub.EventDeliverySchema == EventGridSchema {
		r.Header.Set("Aeg-Data-Version", batch[0].version)
	}
	resp, err := s.client.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return 0, "TimedOut"
	case err != nil:
		return 0, "Aborted"
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return resp.StatusCode, strings.ReplaceAll(http.StatusText(resp.StatusCode), " ", "")
}

// encode returns the body of a request and its type.
func (sub *subscription) encode(batch []*delivery) (contentType string, body []byte) {
	if sub.EventDeliverySchema == CloudEventSchema && sub.MaxEventsPerBatch == 1 {
		return "application/cloudevents+json; charset=utf-8", batch[0].event
	}
	contentType = "application/json; charset=utf-8"
	if sub.EventDeliverySchema == CloudEventSchema {
		contentType = "application/cloudevents-batch+json; charset=utf-8"
	}
	events := make([][]byte, len(batch))
	for i, d := range batch {
		events[i] = d.event
	}
	return contentType, slices.Concat([]byte("["), bytes.Join(events, []byte(",")), []byte("]"))
}

// setHeaders gives r what every request to a subscriber carries.
func (sub *subscription) setHeaders(r *http.Request, event, contentType string) {
	for name, value := range sub.DeliveryHeaders {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Aeg-Event-Type", event)
	r.Header.Set("Aeg-Subscription-Name", strings.ToUpper(sub.Name))
	if sub.EventDeliverySchema == EventGridSchema {
		r.Header.Set("Aeg-Metadata-Version", "1")
	} else {
		r.Header.Set("WebHook-Request-Origin", requestOrigin)
	}
}

// notifyDeletion tells an endpoint, once, that its subscription is gone.
func (s *Server) notifyDeletion(ctx context.Context, sub *subscription) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	event, err := json.Marshal([]map[string]any{sub.systemEvent("Microsoft.EventGrid.SubscriptionDeletedEvent", s.clock.Now(),
		map[string]any{"eventSubscriptionId": sub.topic.id + "/providers/Microsoft.EventGrid/eventSubscriptions/" + sub.Name})})
	if err != nil {
		return
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.EndpointURL, bytes.NewReader(event))
	if err != nil {
		return
	}
	sub.setHeaders(r, "SubscriptionDeletion", "application/json; charset=utf-8")
	if resp, err := s.client.Do(r); err == nil {
		resp.Body.Close() // whatever it says: the subscription is gone
	}
}
