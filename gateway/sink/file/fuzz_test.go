//go:build unix

package file_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
)

// FuzzMend appends to files of any content: whole lines stay, at most what
// follows the last of them is cut, and the new line is whole.
func FuzzMend(f *testing.F) {
	f.Add([]byte("{\"specversion\":\"1.0\"}\n{\"specversion\":"))
	f.Add([]byte("x"))
	f.Add([]byte("\n\x00"))
	path := filepath.Join(f.TempDir(), "x.ndjson")
	line := []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"a":[1,2]}}` + "\n")
	f.Fuzz(func(t *testing.T, before []byte) {
		check(t, os.WriteFile(path, before, 0o600))
		s := open(t, path)
		send(t, s, delivery.None, "1")
		after, err := os.ReadFile(path)
		check(t, err)
		kept, ok := bytes.CutSuffix(after, line)
		whole := before[:bytes.LastIndexByte(before, '\n')+1]
		ended := append(bytes.Clone(before), '\n')
		if !ok || !bytes.Equal(kept, whole) && !bytes.Equal(kept, ended) {
			t.Errorf("%q became %q", before, after)
		}
	})
}
