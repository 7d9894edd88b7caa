package event_test

import (
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

func TestParseTime(t *testing.T) {
	utc := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	tests := []struct {
		in   string
		want time.Time // zero: refused
	}{
		{"2021-12-09T20:28:52.9795363Z", utc("2021-12-09T20:28:52.9795363Z")},
		{"2021-12-09t20:28:52z", utc("2021-12-09T20:28:52Z")},
		{"2021-12-09T20:28:52.123456789123Z", utc("2021-12-09T20:28:52.123456789Z")},
		{"2021-12-09T20:28:52-07:30", utc("2021-12-10T03:58:52Z")},
		{"2016-12-31T23:59:60Z", utc("2017-01-01T00:00:00Z")},
		{"2016-12-31T23:59:60.5Z", utc("2017-01-01T00:00:00.5Z")},
		{"2024-02-29T00:00:00Z", utc("2024-02-29T00:00:00Z")},
		{"2000-02-29T00:00:00Z", utc("2000-02-29T00:00:00Z")},
		{"1900-02-29T00:00:00Z", time.Time{}},
		{"2023-02-29T00:00:00Z", time.Time{}},
		{"2023-04-31T00:00:00Z", time.Time{}},
		{"2023-00-01T00:00:00Z", time.Time{}},
		{"2023-13-01T00:00:00Z", time.Time{}},
		{"2023-01-00T00:00:00Z", time.Time{}},
		{"2023-01-01T24:00:00Z", time.Time{}},
		{"2023-01-01T00:60:00Z", time.Time{}},
		{"2023-01-01T00:00:61Z", time.Time{}},
		{"2023-01-01T00:00:60Z", time.Time{}},
		{"2023-01-01T00:00:00", time.Time{}},
		{"2023-01-01 00:00:00Z", time.Time{}},
		{"2023-01-01T00:00:00.Z", time.Time{}},
		{"2023-01-01T00:00:00,5Z", time.Time{}},
		{"2023-01-01T00:00:00+0000", time.Time{}},
		{"2023-01-01T00:00:00+24:00", time.Time{}},
		{"2023-01-01T00:00:00.123", time.Time{}},
		{"2023-01-01", time.Time{}},
		{"", time.Time{}},
	}
	for _, tt := range tests {
		got, err := event.ParseTime(tt.in)
		if (err != nil) != tt.want.IsZero() || !got.Equal(tt.want) {
			t.Errorf("ParseTime(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
}
