package gateway_test

import (
	"context"
	"net/http"
	"testing"
)

// TestCloseCutsDrainingShort closes a gateway whose endpoint never answers: that
// is no failure, and what was under way is delivered after the next start.
func TestCloseCutsDrainingShort(t *testing.T) {
	k, dir := serveSink(t), t.TempDir()
	stuck := make(chan struct{})
	entered := make(chan struct{}, 1)
	k.answer = func(arrival) (int, http.Header) {
		entered <- struct{}{}
		<-stuck
		return http.StatusServiceUnavailable, nil
	}
	first := start(t, dir)
	first.hook(k, "never", "", `{"initialBackoff":"5ms","maxBackoff":"5ms"}`)
	first.send(from("never", update("1", "room", "/x", "1")))
	<-entered
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := first.gateway.Close(over); err != nil {
		t.Errorf("Close = %v, want nil: nothing is lost by it", err)
	}
	close(stuck)
	k.answers(http.StatusOK)
	start(t, dir)
	if got := k.arrivals(t, 2); got[1].header.Get("Ce-Id") != "1" {
		t.Errorf("after the restart %+v arrived", got[1])
	}
}
