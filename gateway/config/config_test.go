package config_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/config"
)

// env makes a lookup of pairs "NAME=value".
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v, true
			}
		}
		return "", false
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadDefaults(t *testing.T) {
	got, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), got); diff != "" {
		t.Errorf("Load of nothing (-default +got):\n%s", diff)
	}
	if got.Data != "./headgate-data" || got.Listen != "127.0.0.1:8080" {
		t.Errorf("defaults are %q and %q, want those of the contract", got.Data, got.Listen)
	}
}

func TestLoadPrecedence(t *testing.T) {
	file := write(t, "c.yaml", "data: /from/file\nlisten: 127.0.0.1:1\nlog-format: json\n")
	got, err := config.Load(config.Sources{
		File:  file,
		Env:   env("HEADGATE_LISTEN=127.0.0.1:2", "HEADGATE_LOG_FORMAT=text", "HEADGATE_DATA="),
		Flags: map[string]string{"listen": "127.0.0.1:3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Data, want.Listen = "/from/file", "127.0.0.1:3"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLoadEverySetting gives each setting by each of its names.
func TestLoadEverySetting(t *testing.T) {
	cert, key := write(t, "c.pem", ""), write(t, "k.pem", "")
	values := map[string]string{
		"data": "/d", "listen": "[::1]:0", "tls-cert": cert, "tls-key": key,
		"token-file": write(t, "token", "s3cret-s3cret-s3cret\n"), "journal-max-size": "100MiB",
		"plugin-limits": "eventFuel=7, instanceAge=1h", "plugin-max-limits": "eventFuel=9", "adt-max-routes": "7",
		"journal-retain-age": "36h", "journal-retain-size": "10MB", "disk-reserve": "0",
		"log-level": "DEBUG", "log-format": "json", "drain-timeout": "5s",
	}
	want := config.Config{
		Data: "/d", Listen: "[::1]:0", TLSCert: cert, TLSKey: key, Token: "s3cret-s3cret-s3cret",
		Journal:   config.Journal{MaxBytes: 100 << 20, RetainAge: 36 * time.Hour, RetainBytes: 10e6},
		MaxRoutes: 7,
		Plugins: config.Plugins{
			Limits: map[string]string{"eventFuel": "7", "instanceAge": "1h"}, MaxLimits: map[string]string{"eventFuel": "9"},
		},
		LogLevel: slog.LevelDebug, LogFormat: "json", DrainTimeout: 5 * time.Second,
	}

	var pairs, lines []string
	for _, s := range config.Settings() {
		if s.EnvOnly {
			continue
		}
		v, ok := values[s.Name]
		if !ok {
			t.Fatalf("the test gives no value for %q", s.Name)
		}
		pairs = append(pairs, s.Env+"="+v)
		lines = append(lines, fmt.Sprintf("%s: %q", s.Name, v))
	}
	for name, src := range map[string]config.Sources{
		"flags":       {Flags: values},
		"environment": {Env: env(pairs...)},
		"file":        {File: write(t, "all.yaml", strings.Join(lines, "\n"))},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.Load(src)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadToken(t *testing.T) {
	file := write(t, "token", "from-file\r\n")
	yaml := write(t, "c.yaml", "token-file: "+file)
	tests := []struct {
		name string
		src  config.Sources
		want config.Secret
	}{
		{"file by flag", config.Sources{Flags: map[string]string{"token-file": file}}, "from-file"},
		{"variable", config.Sources{Env: env("HEADGATE_TOKEN=direct")}, "direct"},
		{"a flag beats the variable", config.Sources{Flags: map[string]string{"token-file": file}, Env: env("HEADGATE_TOKEN=direct")}, "from-file"},
		{"the variable beats the file", config.Sources{File: yaml, Env: env("HEADGATE_TOKEN=direct")}, "direct"},
		{"no flag takes the token itself", config.Sources{Flags: map[string]string{"token": "shown in ps"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.Load(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			if got.Token != tt.want {
				t.Errorf("token is %q, want %q", string(got.Token), string(tt.want))
			}
		})
	}
}

func TestTokenWarnings(t *testing.T) {
	good := write(t, "token", strings.Repeat("x", 32))
	shown := write(t, "shown", strings.Repeat("x", 32))
	if err := os.Chmod(shown, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		file, want string
	}{
		{good, ""},
		{shown, "chmod 600 " + shown},
		{write(t, "short", "abc"), "short"},
	}
	for _, tt := range tests {
		got, err := config.Load(config.Sources{Flags: map[string]string{"token-file": tt.file}})
		if err != nil {
			t.Fatal(err)
		}
		if warnings := strings.Join(got.Warnings, "; "); (warnings != "") != (tt.want != "") || !strings.Contains(warnings, tt.want) {
			t.Errorf("%s: warnings %q, want %q", filepath.Base(tt.file), warnings, tt.want)
		}
	}
}

func TestListenNeedsTokenBeyondLoopback(t *testing.T) {
	for listen, open := range map[string]bool{
		"127.0.0.1:0": true, "127.9.9.9:80": true, "localhost:8080": true, "LocalHost:8080": true,
		"[::1]:8080": true, "[::ffff:127.0.0.1]:8080": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "10.0.0.1:80": false, "example.com:80": false,
		"localhost.example.com:80": false,
	} {
		flags := map[string]string{"listen": listen}
		if _, err := config.Load(config.Sources{Flags: flags}); (err == nil) != open {
			t.Errorf("%s without a token: error %v, want one: %v", listen, err, !open)
		}
		if _, err := config.Load(config.Sources{Flags: flags, Env: env("HEADGATE_TOKEN=t")}); err != nil {
			t.Errorf("%s with a token: %v", listen, err)
		}
	}
}

// TestErrors holds the words that an operator reads: the setting, where it was
// set, its value, and what to do.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	empty := write(t, "empty", "\n")
	two := write(t, "two", "a\nb\n")
	tests := []struct {
		name  string
		yaml  string
		env   []string
		flags map[string]string
		want  []string
	}{
		{name: "address", flags: map[string]string{"listen": "8080"},
			want: []string{`listen "8080" (from --listen): use HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080`}},
		{name: "port", env: []string{"HEADGATE_LISTEN=127.0.0.1:http"},
			want: []string{`listen "127.0.0.1:http" (from HEADGATE_LISTEN): use a port from 1 to 65535, or 0 for a free one, not "http"`}},
		{name: "open to all", flags: map[string]string{"listen": ":80"},
			want: []string{`listen ":80" (from --listen): other machines could reach this address, and nothing asks them who they are: guard it with --token-file FILE or HEADGATE_TOKEN, or listen on 127.0.0.1:80`}},
		{name: "size", yaml: "listen: 127.0.0.1:1\njournal-max-size: lots\n",
			want: []string{`journal-max-size "lots" (from FILE:2:19): use a size such as 512MiB, 10GiB or 1048576`}},
		{name: "limits without a value", flags: map[string]string{"plugin-limits": "eventFuel"},
			want: []string{`plugin-limits "eventFuel" (from --plugin-limits): use NAME=VALUE, separated by commas, such as eventFuel=100000000`}},
		{name: "a limit twice", flags: map[string]string{"plugin-max-limits": "eventFuel=1,eventFuel=2"},
			want: []string{`plugin-max-limits "eventFuel=1,eventFuel=2" (from --plugin-max-limits): gives eventFuel twice`}},
		{name: "small journal", flags: map[string]string{"journal-max-size": "1MiB"},
			want: []string{`journal-max-size "1MiB" (from --journal-max-size): use at least 64MiB`}},
		{name: "retains more than it may hold", flags: map[string]string{"journal-max-size": "64MiB", "journal-retain-size": "65MiB"},
			want: []string{`journal-retain-size "65MiB" (from --journal-retain-size): use no more than journal-max-size, 64MiB`}},
		{name: "several at once", flags: map[string]string{"log-level": "loud", "drain-timeout": "soon"}, want: []string{
			`log-level "loud" (from --log-level): use debug, info, warn or error`,
			`drain-timeout "soon" (from --drain-timeout): use a duration such as 30s, 5m, 24h or 7d`}},
		{name: "half of TLS", flags: map[string]string{"tls-key": "k.pem"},
			want: []string{`tls-key "k.pem" (from --tls-key): needs --tls-cert too`}},
		{name: "missing token file", flags: map[string]string{"token-file": filepath.Join(dir, "no")},
			want: []string{`token-file "` + filepath.Join(dir, "no") + `" (from --token-file): cannot be read: no such file or directory`}},
		{name: "empty token file", flags: map[string]string{"token-file": empty},
			want: []string{`token-file "` + empty + `" (from --token-file): holds no token: write one line of random text into it`}},
		{name: "two tokens", flags: map[string]string{"token-file": two},
			want: []string{`token-file "` + two + `" (from --token-file): holds more than one token: use one line of printable ASCII without blanks`}},
		{name: "a token file without end", flags: map[string]string{"token-file": "/dev/zero"},
			want: []string{`token-file "/dev/zero" (from --token-file): holds more than 4096 bytes: use one line of random text, such as openssl rand -hex 32 makes`}},
		{name: "a bad token is not shown", env: []string{"HEADGATE_TOKEN=pass word"},
			want: []string{`token (from HEADGATE_TOKEN): holds more than one token: use one line of printable ASCII without blanks`}},
		{name: "two ways", env: []string{"HEADGATE_TOKEN=a", "HEADGATE_TOKEN_FILE=/b"},
			want: []string{`token-file "/b" (from HEADGATE_TOKEN_FILE): set either HEADGATE_TOKEN_FILE or HEADGATE_TOKEN, not both`}},
		{name: "unknown key", yaml: "liste: x\n",
			want: []string{`liste (from FILE:1:1): is not a setting; did you mean "listen"?`}},
		{name: "other spelling", yaml: "tlsCert: x\n",
			want: []string{`tlsCert (from FILE:1:1): is not a setting; did you mean "tls-cert"?`}},
		{name: "unknown altogether", yaml: "a: b\nforests:\n  - x\n", want: []string{
			`a (from FILE:1:1): is not a setting; see docs/configuration.md for the settings`,
			`forests (from FILE:2:1): is not a setting; see docs/configuration.md for the settings`}},
		{name: "secret in the file", yaml: "token: abc\n",
			want: []string{`token (from FILE:1:1): does not belong in a file: set HEADGATE_TOKEN or token-file`}},
		{name: "list for a value", yaml: "listen: [a, b]\n",
			want: []string{`listen (from FILE:1:9): want one value, not a list or a mapping`}},
		{name: "not a mapping", yaml: "- listen\n",
			want: []string{`config (from FILE:1:1): want settings, one per line, such as "listen: 127.0.0.1:8080"`}},
		{name: "repeated key", yaml: "data: a\ndata: b\n",
			want: []string{`config (from FILE:2:1): mapping key "data" already defined at [1:1]`}},
		{name: "two documents", yaml: "data: a\n---\ndata: b\n",
			want: []string{`config (from FILE): holds several YAML documents: keep one`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := config.Sources{Env: env(tt.env...), Flags: tt.flags}
			if tt.yaml != "" {
				src.File = write(t, "c.yaml", tt.yaml)
			}
			_, err := config.Load(src)
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			got := err.Error()
			if src.File != "" {
				got = strings.ReplaceAll(got, src.File, "FILE")
			}
			if diff := cmp.Diff(tt.want, strings.Split(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if field := new(config.FieldError); !errors.As(err, &field) {
				t.Errorf("%v holds no FieldError", err)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := config.Load(config.Sources{File: filepath.Join(t.TempDir(), "no.yaml")})
	if err == nil || !strings.HasSuffix(err.Error(), "no.yaml): cannot be read: no such file or directory") {
		t.Errorf("error is %v", err)
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	c := config.Default()
	c.Token = "hunter2"
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "config", c, "token", c.Token)
	for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s", c, c, c.Token), log.String()} {
		if strings.Contains(shown, "hunter2") {
			t.Errorf("the token shows in %s", shown)
		}
	}
}

func FuzzLoadFile(f *testing.F) {
	for _, seed := range []string{"listen: 127.0.0.1:1", "a: [", "data: |\n x\n", "? x\n: y", "&a data: *a", "{}", "data: !!binary aGk="} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "c.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(config.Sources{File: path}); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
