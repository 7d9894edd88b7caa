package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Sources are where settings come from. All are optional.
type Sources struct {
	// File is a YAML file of settings; missing is an error.
	File string
	// Env looks up an environment variable, as [os.LookupEnv] does.
	Env func(name string) (string, bool)
	// Flags holds the flags that were given, by name.
	Flags map[string]string
}

// Load merges the sources over the defaults and validates the result. All that
// is wrong with the settings is reported at once, as joined [FieldError]s.
func Load(src Sources) (Config, error) {
	l := loader{cfg: Default(), where: map[string]origin{}, settings: settings()}
	if src.File != "" {
		l.file(src.File)
	}
	if src.Env != nil {
		l.env(src.Env)
	}
	l.flags(src.Flags)
	l.resolveToken()
	if len(l.errs) == 0 {
		l.validate()
	}
	return l.cfg, errors.Join(l.errs...)
}

// rank orders the sources; a higher one wins.
type rank int

const (
	fromDefault rank = iota
	fromFile
	fromEnv
	fromFlag
)

// origin is where a setting's value came from.
type origin struct {
	rank  rank
	where string
	value string
}

// loader collects settings, and everything that is wrong with them.
type loader struct {
	cfg              Config
	tokenFile, token string
	settings         []setting
	where            map[string]origin
	errs             []error
}

func (l *loader) env(lookup func(string) (string, bool)) {
	for _, s := range l.settings {
		// An empty variable counts as unset: that is how shells and compose
		// files clear one.
		if text, ok := lookup(s.Env); ok && text != "" {
			l.apply(s, origin{fromEnv, s.Env, text})
		}
	}
}

func (l *loader) flags(given map[string]string) {
	for _, s := range l.settings {
		if text, ok := given[s.Name]; ok && !s.EnvOnly {
			l.apply(s, origin{fromFlag, "--" + s.Name, text})
		}
	}
}

// apply sets s, remembering where its value came from.
func (l *loader) apply(s setting, from origin) {
	l.where[s.Name] = from
	if err := s.set(l, from.value); err != nil {
		l.fail(s.Name, err.Error())
	}
}

// fail reports what is wrong with the value of the setting name.
func (l *loader) fail(name, what string) {
	from := l.where[name]
	e := &FieldError{Field: name, Where: from.where, Value: from.value, Hint: what}
	i := slices.IndexFunc(l.settings, func(s setting) bool { return s.Name == name })
	if e.Value == "" && i >= 0 {
		e.Value = l.settings[i].Default
	}
	if i >= 0 && l.settings[i].EnvOnly {
		e.Value = ""
	}
	l.errs = append(l.errs, e)
}

// resolveToken reads the token from whichever source ranks higher.
func (l *loader) resolveToken() {
	file, direct := l.where["token-file"], l.where["token"]
	switch {
	case l.tokenFile == "" && l.token == "":
		return
	case l.tokenFile != "" && l.token != "" && file.rank == direct.rank:
		l.fail("token-file", "set either "+file.where+" or "+direct.where+", not both")
		return
	case l.token != "" && direct.rank > file.rank:
		l.cfg.Token = Secret(l.token)
	default:
		b, err := readAtMost(l.tokenFile, maxTokenBytes+2)
		if err != nil {
			l.fail("token-file", "cannot be read: "+reason(err))
			return
		}
		l.cfg.Token = Secret(strings.TrimSpace(string(b)))
		l.warnOfReaders(l.tokenFile)
	}
	l.checkToken()
}

// maxTokenBytes bounds a token; more would not fit well into a header.
const maxTokenBytes = 4096

// readAtMost reads the first n bytes of a file, whatever kind of file it is.
func readAtMost(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}

// warnOfReaders warns of a secret that other users of the machine can read. It
// is no more than a warning, since some platforms hand out secrets that way.
func (l *loader) warnOfReaders(path string) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		l.warn("token-file: others can read %s (mode %04o); run: chmod 600 %[1]s", path, info.Mode().Perm())
	}
}

func (l *loader) warn(format string, args ...any) {
	l.cfg.Warnings = append(l.cfg.Warnings, fmt.Sprintf(format, args...))
}

// checkToken refuses a token that no client could send in a header, and warns
// of one that can be guessed.
func (l *loader) checkToken() {
	name := "token"
	if l.where["token"].rank <= l.where["token-file"].rank {
		name = "token-file"
	}
	token := string(l.cfg.Token)
	switch {
	case token == "":
		l.fail(name, "holds no token: write one line of random text into it")
	case len(token) > maxTokenBytes:
		l.fail(name, "holds more than 4096 bytes: use one line of random text, such as openssl rand -hex 32 makes")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		l.fail(name, "holds more than one token: use one line of printable ASCII without blanks")
	case len(token) < 16:
		l.warn("the token is short enough to be guessed; make one with: openssl rand -hex 32")
	}
}
