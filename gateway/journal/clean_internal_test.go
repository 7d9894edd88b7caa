package journal // white-box: the engine is nobody's outside

import (
	"context"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// TestDeleteTwice: a store that is reopened twice takes back the same message
// twice, and must not stay closed for that.
func TestDeleteTwice(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(context.Background())
	letter := Entry{Delivery: delivery.Delivery{Endpoint: "hub", Event: event.Event{ID: "1", Source: "s", Type: "t"}}}
	refs, err := j.Retries().Put(t.Context(), []Entry{letter})
	if err != nil {
		t.Fatal(err)
	}
	e, err := j.current()
	if err != nil {
		t.Fatal(err)
	}
	for _, seq := range []uint64{refs[0].Seq, refs[0].Seq, refs[0].Seq + 7} {
		if err := e.delete(t.Context(), retryStream, seq); err != nil {
			t.Errorf("delete of %d = %v", seq, err)
		}
	}
	if _, err := e.get(t.Context(), retryStream, refs[0].Seq); err == nil {
		t.Error("the message is still there")
	}
}
