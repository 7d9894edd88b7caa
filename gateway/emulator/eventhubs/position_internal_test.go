package eventhubs

import "testing"

func TestParsePosition(t *testing.T) {
	tests := []struct {
		text string
		want position
		ok   bool
	}{
		{"amqp.annotation.x-opt-offset > '-1'", position{annotation: offsetAnnotation, value: -1}, true},
		{"amqp.annotation.x-opt-offset >= '7'", position{annotation: offsetAnnotation, value: 7, inclusive: true}, true},
		{"amqp.annotation.x-opt-offset > '@latest'", position{latest: true}, true},
		{" amqp.annotation.x-opt-sequence-number>'7' ", position{annotation: sequenceAnnotation, value: 7}, true},
		{"amqp.annotation.x-opt-enqueued-time > '1700000000123'", position{annotation: enqueuedAnnotation, value: 1700000000123}, true},
		{"", position{}, false},
		{"amqp.annotation.x-opt-offset", position{}, false},
		{"amqp.annotation.x-opt-offset > ''", position{}, false},
		{"amqp.annotation.x-opt-offset > '", position{}, false},
		{"amqp.annotation.x-opt-offset > 7", position{}, false},
		{"amqp.annotation.x-opt-offset < '7'", position{}, false},
		{"amqp.annotation.x-opt-sequence-number > '@latest'", position{}, false},
		{"amqp.annotation.x-opt-other > '7'", position{}, false},
		{"x-opt-offset > '7'", position{}, false},
		{"amqp.annotation.x-opt-offset > '7' OR 1=1", position{}, false},
		{"amqp.annotation.x-opt-offset > '99999999999999999999'", position{}, false},
	}
	for _, tt := range tests {
		if got, ok := parsePosition(tt.text); ok != tt.ok || ok && got != tt.want {
			t.Errorf("parsePosition(%q) = %+v, %v, want %+v, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

// FuzzPosition: whatever a client writes, a reader starts within the partition.
func FuzzPosition(f *testing.F) {
	f.Add("amqp.annotation.x-opt-offset > '5'", 3)
	f.Add("amqp.annotation.x-opt-sequence-number >= '-9'", 0)
	f.Add("amqp.annotation.x-opt-offset > '@latest'", 9)
	f.Fuzz(func(t *testing.T, text string, events int) {
		from, ok := parsePosition(text)
		if !ok {
			return
		}
		p := &partition{}
		for range min(max(events, 0), 9) {
			p.events = append(p.events, event{sequence: p.next, offset: p.offset})
			p.next, p.offset = p.next+1, p.offset+5
		}
		if start := p.start(from); start < 0 || start > p.next {
			t.Errorf("%q starts at %d of %d", text, start, p.next)
		}
	})
}
