package blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/azure"
)

// Letters puts dead letters into a container in the layout of Azure Digital
// Twins: a blob for each event, which holds the event as it was accepted and
// nothing about its failure, at
//
//	ENDPOINT/YEAR/MONTH/DAY/HOUR/EVENT-ID.json
//
// in UTC, by the time at which it became one. It is safe for concurrent use.
type Letters struct {
	target    target
	client    *container.Client
	transport *azure.Transport
}

// NewLetters returns Letters for the container at uri, which carries a shared
// access signature that allows writing; without one the gateway's identity gets
// in. What is wrong with uri is a [*sink.SettingError] of the field. It does not
// connect.
func NewLetters(field, uri string, o Options) (*Letters, error) {
	in := sink.ReadSettings(nil)
	t := parseContainer(in, field, uri)
	if err := in.Err(); err != nil {
		return nil, err
	}
	client, transport, err := t.connect(o)
	if err != nil {
		return nil, err
	}
	return &Letters{target: t, client: client, transport: transport}, nil
}

// Put makes a dead letter durable. It may be repeated: what is there already is
// not written twice. Several letters of one event at one endpoint within an hour
// are one blob, as they hold the same. An event that shares nothing but its id
// with one that is there gets a name with a hash of its content behind the id;
// so does one that is there already where the container may not be read.
//
// An error names neither the signature nor what the service echoes of it. Without
// a deadline ctx is given one of a minute.
func (l *Letters) Put(ctx context.Context, letter delivery.DeadLetter) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxWait)
		defer cancel()
	}
	e := accepted(&letter.Delivery)
	content := event.AppendJSON(nil, &e)
	path := letterPath(letter.Delivery.Endpoint, letter.DeadAt, e.ID)
	sum := md5.Sum(content)
	options := newBlob("application/json")
	options.HTTPHeaders.BlobContentMD5 = sum[:]
	err := l.write(ctx, path+".json", content, options)
	if bloberror.HasCode(err, bloberror.BlobAlreadyExists) {
		there, look := l.client.NewBlobClient(path+".json").GetProperties(ctx, nil)
		if look == nil && bytes.Equal(there.ContentMD5, sum[:]) {
			return nil
		}
		hash := sha256.Sum256(content)
		options.AccessConditions = nil // by this name there can be nothing else
		err = l.write(ctx, path+"-"+hex.EncodeToString(hash[:8])+".json", content, options)
	}
	if out := l.target.outcome(ctx, err); out.Err != nil {
		return fmt.Errorf("dead letter: %w", out.Err)
	}
	return nil
}

func (l *Letters) write(ctx context.Context, name string, content []byte, o *blockblob.UploadOptions) error {
	_, err := l.client.NewBlockBlobClient(name).Upload(ctx, streaming.NopCloser(bytes.NewReader(content)), o)
	return err
}

// Close drops idle connections. It may be called more than once.
func (l *Letters) Close() error {
	l.transport.CloseIdleConnections()
	return nil
}

// accepted is the event of d as it came in.
func accepted(d *delivery.Delivery) event.Event {
	if d.Origin != nil {
		return *d.Origin
	}
	e := d.Event
	if !d.Unrendered {
		e.Extensions = nil
		for _, x := range d.Event.Extensions {
			if x.Name != "idempotencykey" && x.Name != "producedby" {
				e.Extensions = append(e.Extensions, x)
			}
		}
	}
	return e
}

// letterPath is where a letter lies, without its ending.
func letterPath(endpoint string, at time.Time, id string) string {
	return segment(endpoint) + at.UTC().Format("/2006/01/02/15/") + segment(id)
}

// maxSegment bounds a name in a path, of which the service takes 254 characters.
const maxSegment = 200

// segment is s as one name in a path: letters, digits and -._~ as they are, any
// other byte as =XX, so that it needs no escapes in a URL. A name that is too
// long ends with a hash of what is cut off.
func segment(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		lower := c | 0x20
		switch {
		case 'a' <= lower && lower <= 'z', '0' <= c && c <= '9', strings.IndexByte("-_~", c) >= 0, c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	if b.Len() <= maxSegment {
		return b.String()
	}
	hash := sha256.Sum256([]byte(s))
	return b.String()[:maxSegment] + "-" + hex.EncodeToString(hash[:8])
}
