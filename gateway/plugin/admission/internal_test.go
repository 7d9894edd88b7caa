package admission // white-box: what reads a stranger's bytes

import "testing"

func FuzzDissect(f *testing.F) {
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x05\x03\x01\x00\x01\x07\x05\x01\x01a\x00\x00"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x02\x07\x01\x01a\x01b\x00\x00\x00\x05\x04name"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := dissect(b)
		if total := len(a.imports) + len(a.exports) + a.functions; total > len(b) {
			t.Errorf("%d things in %d bytes, %v", total, len(b), err)
		}
	})
}
