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

// instantiateHost makes the module that guests import as [abi.Module].
func instantiateHost(ctx context.Context, r wazero.Runtime) (api.Module, error) {
	const i32 = api.ValueTypeI32
	b := r.NewHostModuleBuilder(abi.Module)
	for name, f := range map[string]struct {
		call   func(*instance, api.Module, []uint64)
		params []api.ValueType
	}{
		abi.ImportBegin: {(*instance).hostBegin, []api.ValueType{i32}},
		abi.ImportFail:  {(*instance).hostFail, []api.ValueType{i32, i32, i32}},
		abi.ImportLog:   {(*instance).hostLog, []api.ValueType{i32, i32, i32}},
	} {
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, guest api.Module, stack []uint64) {
			f.call(ctx.Value(instanceKey{}).(*instance), guest, stack)
		}), f.params, nil).Export(name)
	}
	return b.Instantiate(ctx)
}

// hostBegin is begin(event): it names the event for errors and logs, and gives
// it a full tank.
func (i *instance) hostBegin(_ api.Module, stack []uint64) {
	e := uint32(stack[0])
	if want := uint32(i.begun); e != want || i.begun >= len(i.items) {
		panic(breachf("begin(%d) where begin(%d) of %d is due", e, want, len(i.items)))
	}
	i.begun++
	i.refuel(i.limits.EventFuel)
}

// hostFail is fail(event, ptr, len).
func (i *instance) hostFail(guest api.Module, stack []uint64) {
	e, words := uint32(stack[0]), text(guest, stack[1], stack[2], maxWords)
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
	level := abi.Level(stack[0])
	if level > abi.Error {
		level = abi.Info
	}
	i.logs.line(level, text(guest, stack[1], stack[2], maxLine))
}

// Bounds of a guest's texts, in bytes; what exceeds is cut.
const (
	maxWords = 4 << 10 // a reason
	maxLine  = 4 << 10 // a log line
)

// text reads what a guest says, cut to limit bytes and made valid UTF-8.
func text(guest api.Module, ptr, length uint64, limit int) string {
	b, ok := guest.Memory().Read(uint32(ptr), uint32(length))
	if !ok {
		panic(breachf("text at 0x%x of %d bytes leads out of the memory", uint32(ptr), uint32(length)))
	}
	return clean(b[:min(len(b), limit)])
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
