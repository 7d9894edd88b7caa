package sdk

import (
	"unsafe"

	"github.com/headgate/headgate/sdk/abi"
)

//go:wasmimport headgate_v1 begin
func hostBegin(event uint32)

//go:wasmimport headgate_v1 fail
func hostFail(event uint32, words string)

//go:wasmimport headgate_v1 log
func hostLog(level uint32, text string)

// imports is the host of a module.
type imports struct{}

func (imports) Begin(event uint32)              { hostBegin(event) }
func (imports) Fail(event uint32, words string) { hostFail(event, words) }

var module *Guest

// guest is this module's, made from the registered plugin at the first call.
func guest() *Guest {
	if module == nil {
		if registered == nil {
			panic("sdk: no plugin was registered; call sdk.Register in an init function")
		}
		module = NewGuest(*registered, imports{})
	}
	return module
}

//go:wasmexport headgate_describe
func exportDescribe() uint64 { return pack(guest().Describe()) }

//go:wasmexport headgate_alloc
func exportAlloc(n uint32) uint32 { return address(guest().Alloc(int(n))) }

//go:wasmexport headgate_open
func exportOpen(kind, ptr, n uint32) int32 {
	g := guest()
	return g.Open(abi.Kind(kind), g.lent(uintptr(ptr), int(n)))
}

//go:wasmexport headgate_close
func exportClose(handle int32) { guest().Close(handle) }

//go:wasmexport headgate_filter
func exportFilter(handle int32, ptr, n uint32) uint32 {
	g := guest()
	g.Filter(handle, g.lent(uintptr(ptr), int(n)))
	return uint32(abi.OK)
}

//go:wasmexport headgate_transform
func exportTransform(handle int32, ptr, n uint32) uint64 {
	g := guest()
	return pack(g.Transform(handle, g.lent(uintptr(ptr), int(n))))
}

func pack(b []byte) uint64 { return abi.Pack(address(b), uint32(len(b))) }

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
