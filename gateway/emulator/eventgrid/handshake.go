package eventgrid

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// requestOrigin is how deliveries say who they are from.
	requestOrigin = "eventgrid.azure.net"
	// manualTime is how long an endpoint may take to validate itself.
	manualTime = 5 * time.Minute
	// declaredRetry is the wait before a declared subscription is validated again.
	declaredRetry = 10 * time.Second
)

// Subscribe adds a subscription to a topic, or replaces the one of that name,
// and asks its endpoint for consent. It returns what came of that; an error
// means that the declaration is at fault.
func (s *Server) Subscribe(ctx context.Context, topicName string, d Subscription) (SubscriptionSnapshot, error) {
	s.mu.Lock()
	t := s.find(topicName)
	if t == nil {
		s.mu.Unlock()
		return SubscriptionSnapshot{}, fmt.Errorf("there is no topic %s", topicName)
	}
	sub, err := t.newSubscription(d)
	if err != nil {
		s.mu.Unlock()
		return SubscriptionSnapshot{}, err
	}
	replaced := false
	for i, old := range t.subscriptions {
		if strings.EqualFold(old.Name, sub.Name) {
			old.end()
			t.subscriptions[i], replaced = sub, true
		}
	}
	if !replaced {
		t.subscriptions = append(t.subscriptions, sub)
	}
	s.mu.Unlock()
	s.validate(ctx, sub)
	s.mu.Lock()
	defer s.mu.Unlock()
	return sub.snapshot(), nil
}

// Unsubscribe removes a subscription and tells its endpoint. It reports
// whether there was one.
func (s *Server) Unsubscribe(ctx context.Context, topicName, name string) bool {
	s.mu.Lock()
	var gone *subscription
	if t := s.find(topicName); t != nil {
		for i, sub := range t.subscriptions {
			if strings.EqualFold(sub.Name, name) {
				gone = sub
				t.subscriptions = append(t.subscriptions[:i:i], t.subscriptions[i+1:]...)
				break
			}
		}
	}
	notify := gone != nil && gone.state == Succeeded
	if gone != nil {
		gone.end()
	}
	s.mu.Unlock()
	if notify {
		s.notifyDeletion(ctx, gone)
	}
	return gone != nil
}

// end stops the deliveries of a subscription for good. The caller holds mu.
func (sub *subscription) end() {
	sub.state = deleted
	if sub.stop != nil {
		sub.stop()
	}
}

// validateUntilDone validates a declared subscription, whose endpoint may not
// be up yet, until it does not fail any more.
func (s *Server) validateUntilDone(sub *subscription) {
	for {
		s.validate(s.background, sub)
		s.mu.Lock()
		state := sub.state
		s.mu.Unlock()
		if state != Failed {
			return
		}
		select {
		case <-s.clock.After(declaredRetry):
		case <-s.background.Done():
			return
		}
	}
}

// validate asks an endpoint for consent, by the handshake of its schema.
func (s *Server) validate(ctx context.Context, sub *subscription) {
	code := rand.Text()
	s.mu.Lock()
	sub.code, sub.validUntil = code, s.clock.Now().Add(manualTime)
	s.mu.Unlock()

	ask := s.askGrid
	if sub.EventDeliverySchema == CloudEventSchema {
		ask = s.askCloud
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	state, err := ask(ctx, sub, code)
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub.state == Succeeded || sub.state == deleted {
		return // by itself, meanwhile
	}
	sub.state, sub.reason = state, ""
	switch {
	case err != nil:
		sub.state, sub.reason = Failed, err.Error()
	case state == Succeeded:
		s.begin(sub)
	}
}

// begin starts deliveries. The caller holds mu.
func (s *Server) begin(sub *subscription) {
	sub.state = Succeeded
	if s.closed {
		return
	}
	ctx, cancel := context.WithCancel(s.background)
	sub.stop = cancel
	s.delivery.Go(func() {
		defer cancel()
		s.deliver(ctx, sub)
	})
}

// askGrid sends the validation event, whose code the endpoint echoes.
func (s *Server) askGrid(ctx context.Context, sub *subscription, code string) (State, error) {
	body, err := json.Marshal([]map[string]any{sub.systemEvent("Microsoft.EventGrid.SubscriptionValidationEvent", s.clock.Now(),
		map[string]any{"validationCode": code, "validationUrl": s.validationURL(code)})})
	if err != nil {
		return Failed, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.EndpointURL, bytes.NewReader(body))
	if err != nil {
		return Failed, err
	}
	sub.setHeaders(r, "SubscriptionValidation", "application/json; charset=utf-8")
	resp, err := s.client.Do(r)
	if err != nil {
		return Failed, fmt.Errorf("validation: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Failed, fmt.Errorf("validation: the endpoint answered %s, not 200", resp.Status)
	}
	var answer struct{ ValidationResponse string }
	said, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return Failed, fmt.Errorf("validation: %w", err)
	}
	if json.Unmarshal(said, &answer) == nil && answer.ValidationResponse != "" {
		if answer.ValidationResponse != code {
			return Failed, fmt.Errorf("validation: the endpoint answered with another code")
		}
		return Succeeded, nil
	}
	return AwaitingManualAction, nil
}

// askCloud asks by OPTIONS, as the CloudEvents webhook specification says.
func (s *Server) askCloud(ctx context.Context, sub *subscription, code string) (State, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, sub.EndpointURL, nil)
	if err != nil {
		return Failed, err
	}
	r.Header.Set("WebHook-Request-Origin", requestOrigin)
	r.Header.Set("WebHook-Request-Callback", s.validationURL(code))
	r.Header.Set("WebHook-Request-Rate", "120")
	resp, err := s.client.Do(r)
	if err != nil {
		return Failed, fmt.Errorf("handshake: %w", err)
	}
	defer resp.Body.Close()
	allowed := resp.Header.Get("WebHook-Allowed-Origin")
	switch {
	case resp.StatusCode != http.StatusOK:
		return Failed, fmt.Errorf("handshake: the endpoint answered %s, not 200", resp.Status)
	case allowed == "*" || strings.EqualFold(allowed, requestOrigin):
		return Succeeded, nil
	case allowed != "":
		return Failed, fmt.Errorf("handshake: the endpoint allows the origin %q, not %s", allowed, requestOrigin)
	}
	return AwaitingManualAction, nil
}

// manual serves the URL by which an endpoint validates itself.
func (s *Server) manual(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("id")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.topics {
		for _, sub := range t.subscriptions {
			if sub.code != code || code == "" || sub.state == Succeeded {
				continue
			}
			if s.clock.Now().After(sub.validUntil) {
				sub.state, sub.reason = Failed, "the endpoint did not validate itself in time"
				continue
			}
			s.begin(sub)
			writeJSON(w, http.StatusOK, map[string]string{"status": "Webhook successfully validated as a subscription endpoint"})
			return
		}
	}
	s.refuse(w, &refusal{http.StatusNotFound, "NotFound", "nothing waits for that validation any more"})
}

func (s *Server) validationURL(code string) string {
	return s.url + "/emulator/validate?id=" + url.QueryEscape(code)
}

// systemEvent is one of Event Grid's own, about sub.
func (sub *subscription) systemEvent(eventType string, now time.Time, data map[string]any) map[string]any {
	return map[string]any{
		"id": rand.Text(), "topic": sub.topic.id, "subject": "", "eventType": eventType,
		"eventTime": now.UTC().Format(time.RFC3339Nano), "metadataVersion": "1", "dataVersion": "2", "data": data,
	}
}
