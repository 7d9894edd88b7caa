//go:build wasip1

// Command httpwasm is the guest for http-wasm, written against the ABI of its
// handlers, since the kit for guests wants TinyGo. An event is a request in the
// binary mode of CloudEvents; a request that goes on to the next handler has
// passed: every one if the configuration is "unread", or "no-op", in which case its
// type and data are read all the same.
package main

import (
	"unsafe"

	"github.com/headgate/headgate/gateway/plugin/peers/guests/wanted"
)

//go:wasmimport http_handler get_config
func getConfig(buf unsafe.Pointer, limit uint32) uint32

//go:wasmimport http_handler get_header_values
func getHeaderValues(kind uint32, name unsafe.Pointer, nameLen uint32, buf unsafe.Pointer, limit uint32) uint64

//go:wasmimport http_handler read_body
func readBody(kind uint32, buf unsafe.Pointer, limit uint32) uint64

const ofRequest = 0

var (
	header = []byte("ce-type")
	value  [256]byte
	body   [64 << 10]byte
	config string
)

func init() {
	n := getConfig(unsafe.Pointer(&value), uint32(len(value)))
	config = string(value[:n])
}

func main() {}

//go:wasmexport handle_request
func handleRequest() uint64 {
	if config == "unread" {
		return 1
	}
	typ, data := eventType(), data()
	if config == "no-op" || wanted.Split(typ, data) {
		return 1
	}
	return 0
}

//go:wasmexport handle_response
func handleResponse(uint32, uint32) {}

// eventType is the one value of the header, without the NUL that ends it.
func eventType() string {
	r := getHeaderValues(ofRequest, unsafe.Pointer(&header[0]), uint32(len(header)), unsafe.Pointer(&value), uint32(len(value)))
	if count, n := r>>32, uint32(r); count == 1 && n <= uint32(len(value)) {
		return unsafe.String(&value[0], n-1)
	}
	return ""
}

// data is the body, nil when it does not end within the buffer.
func data() []byte {
	r := readBody(ofRequest, unsafe.Pointer(&body), uint32(len(body)))
	if end := r>>32 == 1; end {
		return body[:uint32(r)]
	}
	return nil
}
