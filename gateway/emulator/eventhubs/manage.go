package eventhubs

import (
	"context"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// manage answers requests to the management node. Clients assert the types of
// what they read in an answer; those are the service's.
func (s *Server) manage(_ context.Context, r amqp.Request) amqp.Response {
	if r.Operation() != "READ" {
		return amqp.Response{Status: 501, Condition: amqp.NotImplemented, Description: "the only operation here is READ"}
	}
	name, _ := r.Property("name").(string)
	h, err := s.hub(name)
	if err != nil {
		return refuse(404, err)
	}
	switch kind, _ := r.Property("type").(string); kind {
	case "com.microsoft:eventhub":
		return amqp.Response{Status: 200, Description: "OK", Body: h.describe()}
	case "com.microsoft:partition":
		id, _ := r.Property("partition").(string)
		p, err := h.partition(id)
		if err != nil {
			return refuse(400, err)
		}
		return amqp.Response{Status: 200, Description: "OK", Body: p.describe(h.Name)}
	default:
		return refuse(400, amqp.Errorf(amqp.InvalidField, "there is nothing of type %q", kind))
	}
}

func refuse(status int, err *amqp.Error) amqp.Response {
	return amqp.Response{Status: status, Condition: err.Condition, Description: err.Description}
}

func (h *hub) describe() amqp.Map {
	ids := make([]string, len(h.partitions))
	for i, p := range h.partitions {
		ids[i] = p.id
	}
	return amqp.MapOf(map[string]any{
		"name":                  h.Name,
		"type":                  "com.microsoft:eventhub",
		"created_at":            h.created,
		"partition_count":       int32(len(ids)),
		"partition_ids":         amqp.NewArray(ids...),
		"georeplication_factor": int32(1),
	})
}

func (p *partition) describe(hub string) amqp.Map {
	p.mu.Lock()
	defer p.mu.Unlock()
	begin := p.next
	if len(p.events) > 0 {
		begin = p.events[0].sequence
	}
	return amqp.MapOf(map[string]any{
		"name":                          hub,
		"type":                          "com.microsoft:partition",
		"partition":                     p.id,
		"begin_sequence_number":         begin,
		"last_enqueued_sequence_number": p.next - 1,
		"last_enqueued_offset":          p.lastOffset(),
		"last_enqueued_time_utc":        p.lastEnqueued(),
		"is_partition_empty":            len(p.events) == 0,
	})
}
