package tck

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/plugintest"
)

// ask is an event that asks the guest to do something.
func ask(do, data string) plugintest.Event {
	return plugintest.Event{ID: "1", Source: "s", Type: do, Data: []byte(data)}
}

// full is an event that has everything, extensions of every kind among it.
func full(do, data string) plugintest.Event {
	return plugintest.Event{
		ID: "id-0", Source: "plant.example/digitaltwins/boiler-7", Type: do, Subject: "boiler-7/relationships/r",
		Time: "2024-03-05T07:11:42.1234567Z", DataContentType: "application/json", DataSchema: "dtmi:example:Boiler;1",
		Extensions: []plugintest.Pair{
			{Name: "a1", Value: "naïve ☃"}, {Name: "count", Value: "-2147483648", Kind: abi.Integer}, {Name: "empty"},
			{Name: "live", Value: "false", Kind: abi.Boolean}, {Name: "traceparent", Value: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
			{Name: "zone", Value: "true"},
		},
		Data: []byte(data),
	}
}

func outputs(events ...plugintest.Event) Answer {
	a := Answer{}
	for _, e := range events {
		a.Outputs = append(a.Outputs, plugintest.Output{Event: e})
	}
	return a
}

// with is e after a change.
func with(e plugintest.Event, change func(*plugintest.Event)) plugintest.Event {
	change(&e)
	return e
}

func withID(e plugintest.Event, id string) plugintest.Event {
	return with(e, func(e *plugintest.Event) { e.ID = id })
}

func withData(e plugintest.Event, data string) plugintest.Event {
	return with(e, func(e *plugintest.Event) { e.Data = []byte(data) })
}

var (
	pass    = Answer{Pass: true}
	drop    = Answer{}
	stopped = Answer{Failed: true}
)

func said(words string) Answer { return Answer{Failed: true, Words: words} }

// Limits of the contract.
const (
	maxWords  = 4 << 10
	maxOutput = 1 << 20
	maxMany   = 1024
	maxPairs  = 256
	maxName   = 64
)

func filterCases() []sample {
	cases := []sample{
		{name: "verdicts", events: []plugintest.Event{ask("pass", ""), ask("none", ""), full("pass", "{}"), ask("fail", "words ☃"), ask("none", "")},
			want: []Answer{pass, drop, pass, said("words ☃"), drop}},
		{name: "one event", events: []plugintest.Event{ask("none", "")}, want: []Answer{drop}},
		{name: "traps", guarded: true, events: []plugintest.Event{ask("trap", ""), ask("pass", ""), ask("trap", ""), ask("none", ""), ask("fail", "w"), ask("trap", "")},
			want: []Answer{stopped, pass, stopped, drop, said("w"), stopped}},
		{name: "words are bounded", guarded: true,
			events: []plugintest.Event{ask("fail", strings.Repeat("w", maxWords-1)), ask("fail", strings.Repeat("w", maxWords)), ask("fail", strings.Repeat("w", maxWords+1))},
			want:   []Answer{said(strings.Repeat("w", maxWords-1)), said(strings.Repeat("w", maxWords)), said(strings.Repeat("w", maxWords))}},
		many(func(i int) (plugintest.Event, Answer) {
			if i%3 == 0 {
				return ask("none", strings.Repeat("y", i)), drop
			}
			return full("pass", strings.Repeat("x", i*7)), pass
		}),
	}
	for i := range cases {
		cases[i].kind = "filter"
	}
	return cases
}

// many is a case of more events than a host is likely to put into one batch.
func many(each func(i int) (plugintest.Event, Answer)) sample {
	c := sample{name: "many events"}
	for i := range 700 {
		e, want := each(i)
		c.events, c.want = append(c.events, e), append(c.want, want)
	}
	return c
}

func transformCases() []sample {
	absent := plugintest.Event{ID: "1", Source: "s", Type: "copy"}
	mirrorNone := plugintest.Event{ID: "1", Source: "s", Type: "mirror"}
	binary := with(full("copy", ""), func(e *plugintest.Event) { e.Data = []byte{0, 255, 1, '"', '\n', 0} })
	cases := []sample{
		{name: "copies", events: []plugintest.Event{full("copy", `{"a": 1}`), absent, ask("copy", ""), binary},
			want: []Answer{outputs(full("copy", `{"a": 1}`)), outputs(absent), outputs(ask("copy", "")), outputs(binary)}},
		{name: "what the guest sees", config: `{"label":"east"}`,
			events: []plugintest.Event{full("mirror", "hi\x00\xff"), mirrorNone, ask("mirror", "")},
			want: []Answer{
				outputs(withData(full("mirror", ""), `{"label":"east","id":"id-0","source":"plant.example/digitaltwins/boiler-7","type":"mirror","subject":"boiler-7/relationships/r",`+
					`"time":"2024-03-05T07:11:42.1234567Z","datacontenttype":"application/json","dataschema":"dtmi:example:Boiler;1","twin":"boiler-7",`+
					`"extensions":[["a1","naïve ☃"],["count","-2147483648"],["empty",""],["live","false"],["traceparent","00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],["zone","true"]],"data":"686900ff"}`)),
				outputs(withData(mirrorNone, bareMirror("east", "null"))),
				outputs(withData(mirrorNone, bareMirror("east", `""`))),
			}},
		{name: "another configuration", events: []plugintest.Event{mirrorNone}, want: []Answer{outputs(withData(mirrorNone, bareMirror("", "null")))}},
		{name: "none, one and several", events: []plugintest.Event{ask("none", ""), ask("many", "3"), ask("many", "0"), ask("copy", "c"), ask("many", "1"), ask("none", "")},
			want: []Answer{drop, outputs(withID(ask("many", "3"), "1-0"), withID(ask("many", "3"), "1-1"), withID(ask("many", "3"), "1-2")),
				drop, outputs(ask("copy", "c")), outputs(withID(ask("many", "1"), "1-0")), drop}},
		{name: "none at all", events: []plugintest.Event{ask("none", ""), ask("none", "")}, want: []Answer{drop, drop}},
		{name: "failures", events: []plugintest.Event{ask("fail", "first"), ask("copy", ""), ask("fail", "second")},
			want: []Answer{said("first"), outputs(ask("copy", "")), said("second")}},
		{name: "logs", events: []plugintest.Event{ask("log", "a line"), ask("log", "")}, want: []Answer{outputs(ask("log", "a line")), outputs(ask("log", ""))}},
		{name: "traps", guarded: true, events: []plugintest.Event{ask("copy", "1"), ask("trap", ""), ask("many", "2"), ask("trap", "")},
			want: []Answer{outputs(ask("copy", "1")), stopped, outputs(withID(ask("many", "2"), "1-0"), withID(ask("many", "2"), "1-1")), stopped}},
		many(func(i int) (plugintest.Event, Answer) {
			e := full("copy", strings.Repeat("z", i*11))
			if i%5 == 0 {
				e = ask("none", strconv.Itoa(i))
				return e, drop
			}
			return e, outputs(e)
		}),
	}
	cases = append(cases, setCases()...)
	cases = append(cases, limitCases()...)
	for i := range cases {
		cases[i].kind = "transform"
	}
	return cases
}

// bareMirror is what mirror writes of an event that has only what it must have.
func bareMirror(label, data string) string {
	return `{"label":"` + label + `","id":"1","source":"s","type":"mirror","subject":"","time":"","datacontenttype":"","dataschema":"","twin":"","extensions":[],"data":` + data + `}`
}

func setCases() []sample {
	const everything = `{"id":"2","source":"t","type":"u","subject":"v","time":"2025-01-01T00:00:00+01:00","datacontenttype":"text/plain","dataschema":"w","text":"new"}`
	const nothing = `{"subject":"","time":"","datacontenttype":"","dataschema":"","text":null,"extensions":{"a1":null,"count":null,"empty":null,"live":null,"traceparent":null,"zone":null}}`
	const properties = `{"sessionid":"s1","partitionkey":"p1","messageid":"m1","scheduled":1700000000123,"ttl":60000,"properties":{"a":"1","B c":"☃"}}`
	const extensions = `{"extensions":{"zone":"5","added":"x","count":null}}`
	change := func(text string, change func(*plugintest.Event)) (plugintest.Event, Answer) {
		e := full("set", text)
		return e, outputs(with(e, change))
	}
	var c sample
	c.name = "set"
	add := func(e plugintest.Event, want Answer) { c.events, c.want = append(c.events, e), append(c.want, want) }
	add(change(everything, func(e *plugintest.Event) {
		e.ID, e.Source, e.Type, e.Subject, e.Time, e.DataContentType, e.DataSchema = "2", "t", "u", "v", "2025-01-01T00:00:00+01:00", "text/plain", "w"
		e.Data = []byte("new")
	}))
	add(change(nothing, func(e *plugintest.Event) {
		*e = plugintest.Event{ID: e.ID, Source: e.Source, Type: e.Type}
	}))
	add(change(`{"text":""}`, func(e *plugintest.Event) { e.Data = []byte{} }))
	add(change(extensions, func(e *plugintest.Event) {
		e.Extensions = []plugintest.Pair{
			{Name: "a1", Value: "naïve ☃"}, {Name: "added", Value: "x"}, {Name: "empty"}, {Name: "live", Value: "false", Kind: abi.Boolean},
			e.Extensions[4], {Name: "zone", Value: "5"},
		}
	}))
	add(change(`{}`, func(*plugintest.Event) {}))
	e := full("set", properties)
	add(e, Answer{Outputs: []plugintest.Output{{
		Event: e, SessionID: "s1", PartitionKey: "p1", MessageID: "m1", ScheduledTime: time.UnixMilli(1700000000123).UTC(), TimeToLive: time.Minute,
		Properties: []plugintest.Pair{{Name: "a", Value: "1"}, {Name: "B c", Value: "☃"}},
	}}})
	return []sample{c}
}

// limitCases are outputs just within and just beyond what the contract allows.
func limitCases() []sample {
	cases := []sample{
		{name: "size"}, {name: "number of outputs"}, {name: "number of extensions"}, {name: "names"}, {name: "values"},
	}
	add := func(k int, e plugintest.Event, want Answer) {
		c := &cases[k]
		c.guarded, c.events, c.want = true, append(c.events, e), append(c.want, want)
	}
	ok := ask("copy", "")
	for _, n := range []int{maxOutput - 1, maxOutput, maxOutput + 1} {
		e := ask("size", strconv.Itoa(n-len("1ssize")))
		want := stopped
		if n <= maxOutput {
			want = outputs(withData(e, strings.Repeat("x", n-len("1ssize"))))
		}
		add(0, e, want)
		add(0, ok, outputs(ok)) // the events around it do not suffer
	}
	for _, n := range []int{maxMany - 1, maxMany, maxMany + 1} {
		e := ask("many", strconv.Itoa(n))
		want := Answer{}
		for i := range n {
			want.Outputs = append(want.Outputs, plugintest.Output{Event: withID(e, fmt.Sprintf("1-%d", i))})
		}
		if n > maxMany {
			want = stopped
		}
		add(1, e, want)
		add(1, ok, outputs(ok))
	}
	for _, n := range []int{maxPairs - 1, maxPairs, maxPairs + 1} {
		var members []string
		var pairs []plugintest.Pair
		for i := range n {
			name := fmt.Sprintf("e%03d", i)
			members = append(members, `"`+name+`":"v"`)
			pairs = append(pairs, plugintest.Pair{Name: name, Value: "v"})
		}
		e := ask("set", `{"extensions":{`+strings.Join(members, ",")+`}}`)
		want := outputs(with(e, func(e *plugintest.Event) { e.Extensions = pairs }))
		if n > maxPairs {
			want = stopped
		}
		add(2, e, want)
	}
	for _, n := range []int{maxName - 1, maxName, maxName + 1} {
		name := strings.Repeat("n", n)
		e := ask("set", `{"extensions":{"`+name+`":"v"}}`)
		want := outputs(with(e, func(e *plugintest.Event) { e.Extensions = []plugintest.Pair{{Name: name, Value: "v"}} }))
		if n > maxName {
			want = stopped
		}
		add(3, e, want)
	}
	for _, bad := range []string{"", "Upper", "with-dash", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "specversion"} {
		add(3, ask("set", `{"extensions":{"`+bad+`":"v"}}`), stopped)
	}
	for _, bad := range []string{
		`{"id":""}`, `{"source":""}`, `{"type":""}`, `{"time":"yesterday"}`, `{"time":"2024-13-01T00:00:00Z"}`,
		`{"subject":"a\u0000b"}`, `{"id":"a\nb"}`, `{"extensions":{"a":"b\u0007"}}`, `{"ttl":-5000}`, `{"properties":{"":"v"}}`,
	} {
		add(4, ask("set", bad), stopped)
		add(4, ok, outputs(ok))
	}
	return cases
}
