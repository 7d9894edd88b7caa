package config_test

import (
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/config"
)

func TestParseBytes(t *testing.T) {
	tests := []struct {
		text string
		want int64 // -1: an error
	}{
		{"0", 0}, {"1048576", 1 << 20}, {"512MiB", 512 << 20}, {"512 mib", 512 << 20}, {"64K", 64 << 10},
		{"1.5GB", 15e8}, {"1.5GiB", 3 << 29}, {"2TiB", 2 << 40}, {"10B", 10}, {" 7 ", 7},
		{"", -1}, {"-1", -1}, {"MiB", -1}, {"1e3", -1}, {"1.2.3", -1}, {"9EiB", -1}, {"0x10", -1},
		{"9000000TiB", -1}, {"9223372036854775808", -1}, {"NaN", -1}, {"inf", -1}, {"+5", -1},
	}
	for _, tt := range tests {
		got, err := config.ParseBytes(tt.text)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("ParseBytes(%q) = %d, want %d", tt.text, got, tt.want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration // -1: an error
	}{
		{"30s", 30 * time.Second}, {"7d", 7 * 24 * time.Hour}, {"1h30m", 90 * time.Minute}, {"0", 0},
		{"", -1}, {"-5s", -1}, {"5", -1}, {"1.5d", -1}, {"-1d", -1}, {"d", -1},
	}
	for _, tt := range tests {
		got, err := config.ParseDuration(tt.text)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("ParseDuration(%q) = %v, want %v", tt.text, got, tt.want)
		}
	}
}

func FuzzUnits(f *testing.F) {
	f.Add("512MiB")
	f.Add("7d")
	f.Add("1.5GB")
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := config.ParseBytes(s); err == nil {
			if again, err := config.ParseBytes(config.FormatBytes(n)); n < 0 || err != nil || again != n {
				t.Errorf("%q is %d, written %q, read back as %d, %v", s, n, config.FormatBytes(n), again, err)
			}
		}
		if d, err := config.ParseDuration(s); err == nil {
			if again, err := config.ParseDuration(config.FormatDuration(d)); d < 0 || err != nil || again != d {
				t.Errorf("%q is %v, written %q, read back as %v, %v", s, d, config.FormatDuration(d), again, err)
			}
		}
	})
}
