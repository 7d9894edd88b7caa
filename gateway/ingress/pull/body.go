package pull

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// maxNested is how deep lists and maps may lie within each other.
const maxNested = 100

// Body returns the bytes of a message's body from its AMQP sections: of which
// there is data, in any number of sections, or a value, or else a sequence, in
// any number too. Text and binary values are their bytes, other single values
// their text; lists and maps are JSON.
func Body(data [][]byte, value any, sequence [][]any) ([]byte, error) {
	switch {
	case len(sequence) > 0:
		value = slices.Concat(sequence...)
	case len(data) == 1:
		return data[0], nil
	case len(data) > 1:
		return slices.Concat(data...), nil
	}
	switch v := value.(type) {
	case nil:
		return nil, nil
	case []byte:
		return v, nil
	}
	if text, _, ok := textOf(value); ok {
		return []byte(text), nil
	}
	text, err := textOfCompound(value)
	if err != nil {
		return nil, fmt.Errorf("the body of the message is an AMQP value that cannot be written as JSON (%w); send data, text or binary", err)
	}
	return text, nil
}

// textOfCompound is a list or a map as JSON.
func textOfCompound(value any) ([]byte, error) {
	plain, err := plainOf(value, maxNested)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain) // which refuses a float that is no number
}

// plainOf is an AMQP value in the types that JSON has: the keys of a map are
// text, and so is a value that JSON has no type for.
func plainOf(value any, depth int) (any, error) {
	switch value.(type) {
	case nil, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64:
		return value, nil
	}
	if text, _, ok := textOf(value); ok {
		return text, nil
	}
	if depth == 0 {
		return nil, fmt.Errorf("it is nested more than %d deep", maxNested)
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice: // a list, or an array of any type
		list := make([]any, v.Len())
		for i := range list {
			var err error
			if list[i], err = plainOf(v.Index(i).Interface(), depth-1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case reflect.Map:
		members := make(map[string]any, v.Len())
		for key, member := range v.Seq2() {
			name, _, ok := textOf(key.Interface())
			if _, twice := members[name]; !ok || twice {
				return nil, fmt.Errorf("it has a key of the type %T, or two of the same text", key.Interface())
			}
			var err error
			if members[name], err = plainOf(member.Interface(), depth-1); err != nil {
				return nil, err
			}
		}
		return members, nil
	}
	return nil, fmt.Errorf("it has a value of the type %T", value)
}
