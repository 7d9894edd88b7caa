package auth

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// minToken is the least length of a token. What it makes sure of is that
// nobody guesses a token through the network.
const minToken = 16

// maxTokenFile bounds what is read of a token file.
const maxTokenFile = 4 << 10

// CheckToken says what is wrong with token, in words that do not repeat it.
func CheckToken(token string) error {
	if len(token) < minToken {
		return fmt.Errorf("the token has %d characters and needs %d or more; make one with: openssl rand -hex 32", len(token), minToken)
	}
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c > '~' {
			return errors.New("the token must be one word of printable ASCII; make one with: openssl rand -hex 32")
		}
	}
	return nil
}

// ReadToken reads the token from a file that holds it as its only line. The
// warning, unless empty, is for the operator: others may read the file.
func ReadToken(path string) (token, warning string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", "", fmt.Errorf("token file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", "", fmt.Errorf("token file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return "", "", fmt.Errorf("token file: %w", err)
	}
	token = strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff"))
	if len(text) > maxTokenFile || strings.ContainsAny(token, "\r\n") {
		return "", "", fmt.Errorf("token file %s: must hold one line, the token", path)
	}
	if err := CheckToken(token); err != nil {
		return "", "", fmt.Errorf("token file %s: %w", path, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		warning = fmt.Sprintf("the token file %s can be read by others (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	return token, warning, nil
}
