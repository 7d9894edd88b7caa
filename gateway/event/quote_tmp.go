package event

import (
	stdjson "encoding/json"
	"unicode/utf8"
)

// json stands in for sdk/json until that package exists.
var json jsonPkg

type jsonPkg struct{}

func (jsonPkg) Parse(b []byte) ([]byte, error) {
	if !stdjson.Valid(b) || !utf8.Valid(b) {
		return nil, errHeaderUTF8
	}
	return b, nil
}

func (jsonPkg) AppendQuoted(dst []byte, s any) []byte {
	if b, ok := s.([]byte); ok {
		s = string(b)
	}
	q, _ := stdjson.Marshal(s)
	return append(dst, q...)
}
