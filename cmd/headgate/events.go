package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// readEvents yields the CloudEvents of r, in the structured JSON form: one
// object, objects one after the other (as NDJSON has them), or an array. They
// are passed on as they are; the server judges them. An error ends it.
func readEvents(r io.Reader) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		first, err := firstByte(in)
		if errors.Is(err, io.EOF) {
			return
		}
		d, array := json.NewDecoder(in), first == '['
		if array && err == nil {
			_, err = d.Token()
		}
		for n := 1; ; n++ {
			var e json.RawMessage
			if err == nil {
				e, err = nextEvent(d, array)
			}
			if errors.Is(err, errNoMore) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("event %d: %w", n, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// errNoMore ends a well-formed sequence of events.
var errNoMore = errors.New("no more events")

// nextEvent reads one event from the array that d is in, or from the values
// that follow each other.
func nextEvent(d *json.Decoder, array bool) (json.RawMessage, error) {
	if array && !d.More() {
		if _, err := d.Token(); err != nil {
			return nil, noEOF(err)
		}
		return nil, errNoMore
	}
	var e json.RawMessage
	switch err := d.Decode(&e); {
	case errors.Is(err, io.EOF) && !array:
		return nil, errNoMore
	case err != nil:
		return nil, noEOF(err)
	case e[0] != '{':
		return nil, fmt.Errorf("want a CloudEvent, a JSON object, have %.40s", e)
	}
	return e, nil
}

// firstByte peeks at the first byte of r that is not blank.
func firstByte(r *bufio.Reader) (byte, error) {
	for n := 1; ; n++ {
		b, err := r.Peek(n)
		if len(b) < n {
			return 0, err
		}
		if bytes.IndexByte([]byte(" \t\r\n"), b[n-1]) < 0 {
			return b[n-1], nil
		}
	}
}

// noEOF names the end of input for what it is within a value.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// batches groups events into requests of at most count events and limit bytes.
// A larger event goes alone.
func batches(events iter.Seq2[json.RawMessage, error], count, limit int) iter.Seq2[[]json.RawMessage, error] {
	return func(yield func([]json.RawMessage, error) bool) {
		var batch []json.RawMessage
		size := 0
		for e, err := range events {
			if len(batch) > 0 && (err != nil || len(batch) == count || size+len(e) > limit) {
				if !yield(batch, nil) {
					return
				}
				batch, size = nil, 0
			}
			if err != nil {
				yield(nil, err)
				return
			}
			batch = append(batch, e)
			size += len(e) + 1
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
