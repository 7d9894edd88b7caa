package amqp

import (
	"encoding/base64"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// Plain returns a value as encoding/json can write it, for people to read: a
// described value without its descriptor, bytes as text or else in base64.
func Plain(v any) any {
	switch v := v.(type) {
	case Symbol:
		return string(v)
	case UUID:
		return v.String()
	case Char:
		return string(rune(v))
	case Decimal:
		return fmt.Sprintf("%x", string(v))
	case float32:
		return Plain(float64(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case time.Time: // JSON's own way fails after the year 9999
		return v.UTC().Format(time.RFC3339Nano)
	case []byte:
		if utf8.Valid(v) {
			return string(v)
		}
		return base64.StdEncoding.EncodeToString(v)
	case Described:
		return Plain(v.Value)
	case List:
		return plainAll(v)
	case Array:
		return plainAll(v.Elems)
	case Map:
		m := make(map[string]any, len(v))
		for _, p := range v {
			m[fmt.Sprint(Plain(p.Key))] = Plain(p.Value)
		}
		return m
	}
	return v
}

func plainAll(values []any) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = Plain(v)
	}
	return all
}
