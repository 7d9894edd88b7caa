package plugin

import (
	"context"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/sdk/abi"
)

// instanceKey finds the instance in the context of a call: wazero hands a host
// function nothing else that is the caller's own. Each instance makes the
// context once, so that a call costs no allocation.
type instanceKey struct{}

// hostFunc is a function that guests may import.
type hostFunc struct {
	typ  string // as in "ii>i": i is i32, l is i64
	call func(i *instance, guest api.Module, stack []uint64)
}

// hostModules are all that guests may import from. The marker is here for its
// type: package meter puts instructions in the place of its calls.
var hostModules = map[string]map[string]hostFunc{
	abi.Module: {
		abi.ImportBegin: {"i>", func(*instance, api.Module, []uint64) { panic(breachf("%s was called by another way", abi.ImportBegin)) }},
		abi.ImportFail:  {"iii>", (*instance).hostFail},
		abi.ImportLog:   {"iii>", (*instance).hostLog},
	},
	wasiModule: wasi,
}

// provideHost makes the modules that guests import from.
func provideHost(ctx context.Context, r wazero.Runtime) error {
	for module, functions := range hostModules {
		b := r.NewHostModuleBuilder(module)
		for name, f := range functions {
			t := parseType(f.typ)
			b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, guest api.Module, stack []uint64) {
				ctx.Value(instanceKey{}).(*instance).hosted(name, &f, guest, stack)
			}), t.params, t.results).Export(name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

func parseType(s string) signature {
	params, results, _ := strings.Cut(s, ">")
	return signature{valueTypes(params), valueTypes(results)}
}

func valueTypes(s string) (t []api.ValueType) {
	for _, c := range s {
		if c == 'l' {
			t = append(t, i64)
		} else {
			t = append(t, i32)
		}
	}
	return t
}

// hostedFuel is what a call of a host function costs, beside what it copies.
const hostedFuel = 100

// hosted calls a host function for the guest: counted, charged and recorded.
func (i *instance) hosted(name string, f *hostFunc, guest api.Module, stack []uint64) {
	begun := i.begun()
	if i.calls++; i.calls > i.limits.HostCalls*int64(begun+1) {
		panic(limitf("calls of host functions for one event", "hostCalls", i.limits.HostCalls))
	}
	i.burn(hostedFuel)
	if i.tape == nil {
		f.call(i, guest, stack)
		return
	}
	params, results, _ := strings.Cut(f.typ, ">")
	i.tape.start(name, params, begun, stack)
	f.call(i, guest, stack)
	if results != "" {
		i.tape.result(stack[0])
	}
}

// burn charges the guest for work of the host.
func (i *instance) burn(fuel int64) {
	left := int64(i.fuel.Get()) - fuel
	i.fuel.Set(uint64(left))
	if left < 0 {
		panic(breach("out of fuel")) // seen as such by the global
	}
}

// hostFail is fail(event, ptr, len).
func (i *instance) hostFail(guest api.Module, stack []uint64) {
	e, words := uint32(stack[0]), i.text(guest, stack[1], stack[2], maxWords)
	switch {
	case i.opening && e == abi.NoEvent:
		if i.refusal == "" {
			i.refusal = words
		}
	case !i.opening && uint64(e) < uint64(len(i.errs)):
		if i.errs[e] == nil {
			i.errs[e] = i.fault(Failed, words)
		}
	default:
		panic(breachf("fail(%d) in a call of %d events", int32(e), len(i.errs)))
	}
}

// hostLog is log(level, ptr, len).
func (i *instance) hostLog(guest api.Module, stack []uint64) {
	level := abi.Level(uint32(stack[0]))
	if level > abi.Error {
		level = abi.Info
	}
	i.logs.line(level, i.text(guest, stack[1], stack[2], maxLine))
}

// Bounds of a guest's texts, in bytes; what exceeds is cut.
const (
	maxWords = 4 << 10 // a reason
	maxLine  = 4 << 10 // a log line
)

// text reads what a guest says, cut to limit bytes and made valid UTF-8.
func (i *instance) text(guest api.Module, ptr, length uint64, limit int) string {
	b, ok := guest.Memory().Read(uint32(ptr), uint32(length))
	if !ok {
		panic(breachf("text at 0x%x of %d bytes leads out of the memory", uint32(ptr), uint32(length)))
	}
	b = b[:min(len(b), limit)]
	i.burn(int64(len(b)))
	i.tape.data(b)
	return clean(b)
}

// clean makes b one valid line: other bytes and control characters, line ends
// and tabs excepted, become U+FFFD.
func clean(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, strings.TrimRight(string(b), "\n"))
}
