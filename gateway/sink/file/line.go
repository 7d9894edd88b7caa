package file

import (
	"bytes"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// lineStart is how every line begins, by which a torn one is known.
const lineStart = `{"specversion":`

// appendLines appends each event of batch as one line of JSON to dst. Data that
// is JSON stays byte for byte, but for line breaks between its tokens (where
// alone JSON allows them), which become spaces.
func appendLines(dst []byte, batch []delivery.Delivery) []byte {
	for i := range batch {
		start := len(dst)
		dst = event.AppendJSON(dst, &batch[i].Event)
		flatten(dst[start:])
		dst = append(dst, '\n')
	}
	return dst
}

// flatten overwrites line breaks in place.
func flatten(line []byte) {
	for _, br := range []byte{'\n', '\r'} {
		for rest := line; ; {
			i := bytes.IndexByte(rest, br)
			if i < 0 {
				break
			}
			rest[i] = ' '
			rest = rest[i+1:]
		}
	}
}
