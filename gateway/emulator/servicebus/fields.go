package servicebus

import (
	"fmt"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// fields is the body of a request. What is missing from it, or of another
// type, is the client's fault: [broker.ErrArgument].
type fields amqp.Map

// field is the value of a name that must be there.
func field[T any](in fields, name string) (T, error) {
	v, _ := amqp.Map(in).Get(name)
	t, ok := v.(T)
	if !ok {
		return t, fmt.Errorf("%w: %s is a %T, want a %T", broker.ErrArgument, name, v, t)
	}
	return t, nil
}

// optional is the value of a name that may be missing or null.
func optional[T any](in fields, name string) (T, error) {
	if v, _ := amqp.Map(in).Get(name); v == nil {
		var none T
		return none, nil
	}
	return field[T](in, name)
}

// optionalPointer is nil for a name that is missing or null.
func optionalPointer[T any](in fields, name string) (*T, error) {
	if v, _ := amqp.Map(in).Get(name); v == nil {
		return nil, nil
	}
	t, err := field[T](in, name)
	return &t, err
}

// integer is a number of any width.
func (in fields) integer(name string) (int64, error) {
	v, _ := amqp.Map(in).Get(name)
	n, ok := integer(v)
	if !ok {
		return 0, fmt.Errorf("%w: %s is a %T, want a number", broker.ErrArgument, name, v)
	}
	return n, nil
}

// integers are numbers in an array or a list.
func (in fields) integers(name string) ([]int64, error) {
	list, err := in.list(name)
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, len(list))
	for i, v := range list {
		var ok bool
		if numbers[i], ok = integer(v); !ok {
			return nil, fmt.Errorf("%w: %s holds a %T, want numbers", broker.ErrArgument, name, v)
		}
	}
	return numbers, nil
}

// tokens are the lock tokens of a request.
func (in fields) tokens() ([]broker.Token, error) {
	const name = "lock-tokens"
	list, err := in.list(name)
	if err != nil {
		return nil, err
	}
	tokens := make([]broker.Token, len(list))
	for i, v := range list {
		id, ok := v.(amqp.UUID)
		if !ok {
			return nil, fmt.Errorf("%w: %s holds a %T, want uuids", broker.ErrArgument, name, v)
		}
		tokens[i] = broker.Token(id)
	}
	return tokens, nil
}

// list is the items of an array or a list.
func (in fields) list(name string) ([]any, error) {
	switch v, _ := amqp.Map(in).Get(name); v := v.(type) {
	case amqp.Array:
		return v.Elems, nil
	case amqp.List:
		return v, nil
	default:
		return nil, fmt.Errorf("%w: %s is a %T, want an array", broker.ErrArgument, name, v)
	}
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case uint8:
		return int64(n), true
	case uint16:
		return int64(n), true
	case uint32:
		return int64(n), true
	case uint64:
		return int64(n), n <= 1<<63-1
	}
	return 0, false
}
