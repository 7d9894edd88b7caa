//go:build wasip1

// Command extism is the guest for Extism, over its own kit for Go. Its input is
// one event as JSON, or a line of it for each of many; its output is a byte for
// each event, 1 for one that passes. No output passes everything.
package main

import (
	"bytes"

	pdk "github.com/extism/go-pdk"

	"github.com/headgate/headgate/gateway/plugin/peers/guests/wanted"
)

func main() {}

//go:wasmexport pass
func pass() int32 { return 0 }

//go:wasmexport filter
func filter() int32 {
	pdk.Output([]byte{verdict(pdk.Input())})
	return 0
}

//go:wasmexport filter_all
func filterAll() int32 {
	var verdicts []byte
	for line := range bytes.Lines(pdk.Input()) {
		verdicts = append(verdicts, verdict(line))
	}
	pdk.Output(verdicts)
	return 0
}

func verdict(text []byte) byte {
	if wanted.Whole(text) {
		return 1
	}
	return 0
}
