package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// guest is a guest in its host, ready to run.
type guest interface {
	// prepare encodes the events of one call as the host takes them; that is
	// not timed.
	prepare(events []event.Event) error
	// call runs the guest once over what was prepared.
	call() error
	// passed says whether the last call passed event i.
	passed(i int) bool
	close() error
}

// work is what a guest does with an event, and what it is made of.
type work int

const (
	rawNoop  work = iota // passes all, in a few bytes of WebAssembly by hand: what is left is the host's
	goNoop               // the same in standard Go, over the peer's kit
	goFilter             // passes what package wanted does, in standard Go
)

func (w work) String() string {
	return [...]string{"no-op, by hand", "no-op, standard Go", "filter, standard Go"}[w]
}

// contender is a host that does a work.
type contender struct {
	work  work
	host  string
	batch int // events to a call
	kind
	open opener
}

// opener makes a guest in its host.
type opener func(context.Context, *kit) (guest, error)

// kind is how a host is used.
type kind int

const (
	plain   kind = iota // as its documentation does it
	limited             // so that a guest that does not return is stopped, as Headgate always does
	packed              // with several events in what the host takes for one, in an encoding of its user's
	unread              // without giving the event to the guest, where that is left to the guest
	asText              // by the filter language of routes, without a plugin
)

func (k kind) String() string {
	return [...]string{"", ", with a time limit", ", packed by its user", ", event not read", ", filter text instead of a plugin"}[k]
}

// timeLimit is that of a limited call, which none comes near.
const timeLimit = time.Second

func (c contender) name() string { return fmt.Sprintf("%s/%s%s/%d", c.work, c.host, c.kind, c.batch) }

const many = 64

// contenders are all that is measured, the first of each work being what the
// others are compared with.
func contenders() (list []contender) {
	for _, w := range []work{rawNoop, goNoop, goFilter} {
		list = append(list,
			contender{work: w, host: "Headgate", batch: many, open: openHeadgate(w)},
			contender{work: w, host: "Headgate", batch: 1, open: openHeadgate(w)})
		if w == goFilter {
			list = append(list, contender{work: w, host: "Headgate", batch: 1, kind: asText, open: openText})
		}
		add := func(host string, batch int, k kind, open func(work, kind) opener) {
			list = append(list, contender{work: w, host: host, batch: batch, kind: k, open: open(w, k)})
		}
		add("Extism", 1, plain, openExtism)
		add("Extism", 1, limited, openExtism)
		add("Extism", many, packed, openExtism)
		add("go-plugin", 1, plain, openGoPlugin)
		add("go-plugin", 1, limited, openGoPlugin)
		add("go-plugin", many, packed, openGoPlugin)
		add("http-wasm", 1, plain, openHTTPWasm)
		add("http-wasm", 1, limited, openHTTPWasm)
		if w != goFilter {
			add("http-wasm", 1, unread, openHTTPWasm)
		}
	}
	return list
}

// kit is what the contenders are made with: guests, built once.
type kit struct {
	dir   string // temporary
	built map[string][]byte
}

func newKit() (*kit, error) {
	dir, err := os.MkdirTemp("", "headgate-peers")
	if err != nil {
		return nil, err
	}
	return &kit{dir: dir, built: make(map[string][]byte)}, nil
}

func (k *kit) close() error { return os.RemoveAll(k.dir) }

// build compiles guests/name with standard Go.
func (k *kit) build(ctx context.Context, name string) ([]byte, error) {
	if wasm, ok := k.built[name]; ok {
		return wasm, nil
	}
	file := filepath.Join(k.dir, name+".wasm")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, "./guests/"+name)
	cmd.Env = append(cmd.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the guest for %s: %w\n%s", name, err, text)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	k.built[name] = wasm
	return wasm, nil
}
