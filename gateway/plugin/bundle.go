package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin/meter"
	"github.com/headgate/headgate/sdk/abi"
)

// BundleFormat is the value of [Bundle.Format] that this package writes.
const BundleFormat = "headgate-trap/1"

// Bundle is all that it takes to see a trap again, beside the module itself. It
// describes itself: its JSON form is a file that [Replay] understands.
type Bundle struct {
	Format   string    `json:"format"`
	Time     time.Time `json:"time"`
	Versions Versions  `json:"versions"`

	Plugin  string          `json:"plugin"` // as given to Bind
	Digest  string          `json:"digest"`
	Kind    string          `json:"kind"`
	Config  json.RawMessage `json:"config"`
	Limits  Limits          `json:"limits"`
	Granted []string        `json:"granted,omitempty"`

	// Event is the one that trapped, alone, on a fresh instance; nil when the
	// instance could not be started or the configuration not opened.
	Event *BundledEvent `json:"event,omitempty"`
	// Calls are those of host functions, from the start of the instance on; they
	// are cut when there were very many.
	Calls    []HostCall `json:"calls"`
	CallsCut bool       `json:"callsCut,omitempty"`

	Trap Trap `json:"trap"`
}

// Versions are of what decides how a module runs.
type Versions struct {
	ABI    string `json:"abi"`
	Meter  string `json:"meter"`
	Wazero string `json:"wazero"`
}

// BundledEvent is an event as the guest saw it, with what its clock and its
// random numbers followed from.
type BundledEvent struct {
	Position event.Position `json:"position"`
	Clock    time.Time      `json:"clock"`
	Seed     string         `json:"seed"` // hex
	// Event is for humans, in the CloudEvents JSON format; Record and Source are
	// the exact event and the accepted one that it was made from, in the form of
	// the journal.
	Event  json.RawMessage `json:"event"`
	Record []byte          `json:"record"`
	Source []byte          `json:"source,omitempty"` // when it is another one
}

// Trap is how a guest failed, as in [GuestError].
type Trap struct {
	Func  string `json:"func"`
	Fault Fault  `json:"fault"`
	Text  string `json:"text,omitempty"`
	Fuel  int64  `json:"fuel"`
	At    string `json:"at,omitempty"`
	Trace string `json:"trace,omitempty"`
}

func trapOf(g *GuestError) Trap {
	return Trap{Func: g.Func, Fault: g.Fault, Text: g.Text, Fuel: g.Fuel, At: g.At, Trace: g.Trace}
}

// ReadBundle reads the JSON form of a bundle.
func ReadBundle(text []byte) (*Bundle, error) {
	var b Bundle
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("not a bundle of a trap: %w", err)
	}
	if b.Format != BundleFormat {
		return nil, fmt.Errorf("not a bundle of a trap: its format is %.40q, want %q", b.Format, BundleFormat)
	}
	return &b, nil
}

// Item is the event of the bundle as it entered the plugin. It is an error when
// there is none.
func (b *Bundle) Item() (pipeline.Item, error) {
	if b.Event == nil {
		return pipeline.Item{}, errors.New("the bundle has no event: the plugin failed before it saw one")
	}
	e, err := readRecord(b.Event.Record)
	if err != nil {
		return pipeline.Item{}, err
	}
	item := pipeline.Item{Event: e, Source: e, Position: b.Event.Position}
	if len(b.Event.Source) > 0 {
		item.Source, err = readRecord(b.Event.Source)
	}
	return item, err
}

func readRecord(b []byte) (*event.Event, error) {
	r := event.NewRecordReader(b)
	e := r.Event()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("the event of the bundle is damaged: %w", err)
	}
	return &e, nil
}

// kindOf reads the name of a kind.
func kindOf(name string) (Kind, error) {
	for _, k := range []Kind{Filter, Transform} {
		if k.String() == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("the kind %.40q of the bundle is neither filter nor transform", name)
}

// bundle keeps what reproduces g: of the start of i when item is nil. It
// returns the name of the file, or nothing.
func (b *Binding) bundle(i *instance, item *pipeline.Item, g *GuestError) string {
	m := b.module
	if m.runtime.traps == nil {
		return ""
	}
	x := Bundle{
		Format:   BundleFormat,
		Time:     time.Now().UTC(),
		Versions: versions(),
		Plugin:   b.name,
		Digest:   m.info.Digest,
		Kind:     b.config.kind.String(),
		Config:   json.RawMessage(b.config.text),
		Limits:   m.limits,
		Granted:  m.info.Granted,
		Calls:    []HostCall{},
		Trap:     trapOf(g),
	}
	if i != nil && i.tape != nil {
		x.Calls, x.CallsCut = append(x.Calls, i.tape.calls...), i.tape.cut
	}
	if item != nil {
		seed := eventSeed(item)
		x.Event = &BundledEvent{
			Position: item.Position,
			Clock:    time.Unix(0, eventTime(item)).UTC(),
			Seed:     fmt.Sprintf("%x", seed),
			Event:    event.AppendJSON(nil, item.Event),
			Record:   event.AppendRecord(nil, item.Event),
		}
		if item.Source != item.Event {
			x.Event.Source = event.AppendRecord(nil, item.Source)
		}
	}
	text, err := encode(&x)
	if err == nil {
		var name string
		if name, err = m.runtime.traps.write(x.Time, x.Digest, text); err == nil {
			return name
		}
	}
	m.runtime.log(Log{Plugin: b.name, Digest: m.info.Digest, Level: abi.Error, Position: g.Position,
		Text: fmt.Sprintf("the trap was not kept: %v", err)})
	return ""
}

func versions() Versions {
	return Versions{ABI: abi.Module, Meter: meter.Version, Wazero: wazeroVersion()}
}

// encode writes JSON for programs and humans.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
