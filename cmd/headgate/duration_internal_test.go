package main // white-box: a command exports nothing

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestExplainSince asks for the last days, which Go's own durations do not have.
func TestExplainSince(t *testing.T) {
	tests := []struct {
		since string
		want  time.Duration // 0 is refused
	}{
		{"90m", 90 * time.Minute},
		{"7d", 7 * 24 * time.Hour},
		{"1d12h", 36 * time.Hour},
		{"d", 0},
		{"1w", 0},
	}
	for _, tt := range tests {
		t.Run(tt.since, func(t *testing.T) {
			asked := make(chan string, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked <- r.URL.Query().Get("from")
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{}`)
			}))
			defer server.Close()
			begun := time.Now()
			stdout, stderr, status := outcome(t, nil, "", "explain", "--route", "r", "--since", tt.since, "--json", "--server", server.URL)
			if tt.want == 0 {
				if status != exitUsage || !strings.Contains(stderr, `write one such as "500ms", "30s", "5m", "24h" or "7d"`) {
					t.Errorf("%s, want a usage error that says what a duration is", text(stdout, stderr, status))
				}
				return
			}
			if status != exitDone {
				t.Fatal(text(stdout, stderr, status))
			}
			from, err := time.Parse(time.RFC3339Nano, <-asked)
			if age := time.Since(from); err != nil || age < tt.want || age > tt.want+time.Since(begun)+time.Second {
				t.Errorf("asks from %v on, %v; want %v ago", from, err, tt.want)
			}
		})
	}
}
