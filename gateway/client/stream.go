package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
)

// Tailed is one thing that happened, or how much of it was left out.
type Tailed struct {
	Accepted *catalog.StoredEvent
	Delivery *catalog.DeliveryReport
	Dropped  uint64 // so many things were missed here, for slowness
	// Sampled and Unmatched count events that were left out as the query asked:
	// beyond its sample, and not matching its filter. They may come with Dropped.
	Sampled, Unmatched uint64
}

// ErrStreamEnded is yielded when the server ended the stream.
var ErrStreamEnded = errors.New("the server ended the stream")

// Follow connects to the live tail. Everything of q's kind that is accepted
// after it returned is yielded by the sequence, which may be ranged over once,
// and which ends with an error: [ErrStreamEnded], or ctx's when that ended.
// The connection lasts until the loop ends; without a loop, until ctx does.
func (c *Client) Follow(ctx context.Context, q catalog.EventQuery, deliveries bool) (iter.Seq2[Tailed, error], error) {
	return c.FollowTail(ctx, catalog.TailQuery{EventQuery: q, Deliveries: deliveries})
}

// FollowTail is [Client.Follow] of what q asks for.
func (c *Client) FollowTail(ctx context.Context, q catalog.TailQuery) (iter.Seq2[Tailed, error], error) {
	r := at(http.MethodGet, "events", "stream")
	r.accept = "text/event-stream"
	r.query = eventValues(q.EventQuery)
	if q.Deliveries {
		r.query.Set("deliveries", "true")
	}
	if q.Filter != "" {
		r.query.Set("filter", q.Filter)
	}
	if q.Sample > 0 {
		r.query.Set("sample", strconv.Itoa(q.Sample))
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	return func(yield func(Tailed, error) bool) {
		defer resp.Body.Close()
		in := bufio.NewReaderSize(resp.Body, 64<<10)
		for {
			name, data, err := readEvent(in)
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			var item Tailed
			if err == nil {
				item, err = decodeTailed(name, data)
			}
			if err == nil && item == (Tailed{}) {
				continue // a kind of news that a later server has
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}, nil
}

// maxEventBytes bounds one server-sent event: an event of 1 MiB, escaped.
const maxEventBytes = 16 << 20

// readEvent reads up to the next server-sent event that has data.
func readEvent(in *bufio.Reader) (name string, data []byte, err error) {
	size := 0
	for {
		whole, err := readLine(in, maxEventBytes-size)
		if err != nil {
			return "", nil, err
		}
		size += len(whole)
		whole = bytes.TrimRight(whole, "\r\n")
		if len(whole) == 0 {
			if data != nil {
				return name, data, nil
			}
			name, size = "", 0
			continue
		}
		field, value, _ := bytes.Cut(whole, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, value...)
		}
	}
}

// readLine reads up to the next line break, within limit.
func readLine(in *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case len(line) > limit:
			return nil, fmt.Errorf("stream: an event is longer than %d bytes", maxEventBytes)
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, ErrStreamEnded
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("stream: %w", err)
		}
	}
}

func decodeTailed(name string, data []byte) (item Tailed, err error) {
	switch name {
	case "accepted":
		err = json.Unmarshal(data, &item.Accepted)
	case "delivery":
		err = json.Unmarshal(data, &item.Delivery)
	case "dropped":
		var d catalog.Dropped
		err = json.Unmarshal(data, &d)
		item.Dropped, item.Sampled, item.Unmatched = d.Dropped, d.Sampled, d.Unmatched
	}
	if err != nil {
		return Tailed{}, fmt.Errorf("stream: %s: %w", name, err)
	}
	return item, nil
}
