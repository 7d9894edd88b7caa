package main

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxKey is how many characters Service Bus takes as a session id, a message id
// or a partition key. It counts them in units of UTF-16.
const maxKey = 128

// key returns s as such an id: s itself, or its hash if s is too long or holds
// characters that an id cannot.
func key(s string) string {
	if fits(s) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func fits(s string) bool {
	if len(s) <= maxKey && isPlain(s) { // as nearly all are
		return true
	}
	if len(s) > 3*maxKey {
		return false // no unit of UTF-16 takes more than three bytes
	}
	units := 0
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return false
		}
		units++
		if r > 0xffff {
			units++
		}
	}
	return units <= maxKey
}

func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
