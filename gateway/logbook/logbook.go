// Package logbook keeps what plugins say and what they take, since the start.
//
// A [Book] holds the latest lines of each plugin, and figures of each version.
package logbook

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// Bounds of a book.
const (
	maxPlugins = 1000 // names, and versions
	maxLines   = 1000 // of one plugin
	maxBytes   = 256 << 10
	lineBytes  = 100 // that a line takes beside its texts
)

// Level is how much a line matters.
type Level int

// The levels of lines.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Line is one line.
type Line struct {
	At       time.Time
	Version  int
	Level    Level
	Text     string
	Position event.Position // of the event, where that is known
	Server   bool           // the server says it of the plugin
	Trap     string         // that the line is about
}

// Book is what is known of all plugins. It is safe for concurrent use.
type Book struct {
	mu      sync.RWMutex // guards the maps
	plugins map[string]*lines
	figures map[string]*figures // by "name@version"
}

// New returns an empty book.
func New() *Book { return &Book{plugins: map[string]*lines{}, figures: map[string]*figures{}} }

// lines are those of one plugin, a ring by their number.
type lines struct {
	mu      sync.Mutex // guards what follows
	ring    []Line
	bytes   int
	dropped uint64
}

// Write adds a line of the plugin that is called "name@version".
func (b *Book) Write(plugin string, l Line) {
	name, number, _ := strings.Cut(plugin, "@")
	l.Version, _ = strconv.Atoi(number)
	b.mu.RLock()
	p := b.plugins[name]
	b.mu.RUnlock()
	if p == nil {
		if p = b.add(name); p == nil {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ring = append(p.ring, l)
	p.bytes += l.size()
	drop := 0
	for len(p.ring)-drop > maxLines || p.bytes > maxBytes && len(p.ring)-drop > 1 {
		p.bytes -= p.ring[drop].size()
		drop++
	}
	if drop > 0 {
		p.dropped += uint64(drop)
		clear(p.ring[:drop]) // the array lives on
		p.ring = p.ring[drop:]
	}
}

func (l *Line) size() int { return lineBytes + len(l.Text) + len(l.Trap) }

func (b *Book) add(name string) *lines {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.plugins[name]; p != nil || len(b.plugins) >= maxPlugins {
		return p
	}
	p := &lines{}
	b.plugins[name] = p
	return p
}

// Lines returns up to limit lines of the plugin called name, the latest first: of
// one version unless that is 0, and of the level least or above. Dropped is how
// many made room for later ones.
func (b *Book) Lines(name string, version int, least Level, limit int) (found []Line, dropped uint64) {
	b.mu.RLock()
	p := b.plugins[name]
	b.mu.RUnlock()
	if p == nil {
		return nil, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range slices.Backward(p.ring) {
		if len(found) == limit {
			break
		}
		if (version == 0 || version == l.Version) && l.Level >= least {
			found = append(found, l)
		}
	}
	return found, p.dropped
}

// Forget drops what is known of plugins and versions that exist reports to be
// gone; version 0 asks for the plugin.
func (b *Book) Forget(exists func(name string, version int) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.plugins, func(name string, _ *lines) bool { return !exists(name, 0) })
	maps.DeleteFunc(b.figures, func(plugin string, _ *figures) bool {
		name, number, _ := strings.Cut(plugin, "@")
		version, _ := strconv.Atoi(number)
		return !exists(name, version)
	})
}
