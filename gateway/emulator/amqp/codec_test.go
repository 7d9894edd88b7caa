package amqp_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// TestValues has the shortest encoding of every type, as part 1 of the
// specification defines it; where that has an example, it is here.
func TestValues(t *testing.T) {
	long := strings.Repeat("x", 256)
	tests := []struct {
		name string
		v    any
		want string // hexadecimal, or text in quotes
	}{
		{"null", nil, `40`},
		{"true", true, `41`},
		{"false", false, `42`},
		{"ubyte", uint8(7), `5007`},
		{"ushort", uint16(0x1234), `601234`},
		{"uint 0", uint32(0), `43`},
		{"small uint", uint32(255), `52ff`},
		{"uint", uint32(256), `7000000100`},
		{"ulong 0", uint64(0), `44`},
		{"small ulong", uint64(255), `53ff`},
		{"ulong", uint64(256), `800000000000000100`},
		{"byte", int8(-1), `51ff`},
		{"short", int16(-2), `61fffe`},
		{"small int", int32(-128), `5480`},
		{"int", int32(-129), `71ffffff7f`},
		{"small long", int64(127), `557f`},
		{"long", int64(128), `810000000000000080`},
		{"float", float32(1), `723f800000`},
		{"double", -2.0, `82c000000000000000`},
		{"decimal32", amqp.Decimal("\x01\x02\x03\x04"), `7401020304`},
		{"decimal64", amqp.Decimal("12345678"), `84"12345678"`},
		{"decimal128", amqp.Decimal("1234567890123456"), `94"1234567890123456"`},
		{"char", amqp.Char('☃'), `7300002603`},
		{"timestamp", time.UnixMilli(1311704463521).UTC(), `830000013167adb8a1`},
		{"the first day", time.Time{}, `83ffffc77cedd32800`},
		{"uuid", amqp.UUID{0xf8, 1}, `98f8010000000000000000000000000000`},
		{"binary", []byte{1, 2}, `a0020102`},
		{"long binary", []byte(long), `b000000100"` + long + `"`},
		{"string", "Hello Glorious Messaging World", `a11e"Hello Glorious Messaging World"`},
		{"long string", long, `b100000100"` + long + `"`},
		{"symbol", amqp.Symbol("a"), `a301"a"`},
		{"long symbol", amqp.Symbol(long), `b300000100"` + long + `"`},
		{"empty list", amqp.List{}, `45`},
		{"list", amqp.List{true, nil}, `c003024140`},
		{"long list", amqp.List{long}, `d00000010900000001b100000100"` + long + `"`},
		{"empty map", amqp.Map{}, `c10100`},
		{"map", amqp.Map{{Key: "k", Value: uint8(1)}}, `c10602a101"k"5001`},
		{"array", amqp.NewArray[int64](1), `e00a01810000000000000001`},
		{"array of nothing", amqp.NewArray[string](), `e00200b1`},
		{"described", amqp.Described{Descriptor: "URL", Value: "http://example.org/hello-world"}, `00a103"URL"a11e"http://example.org/hello-world"`},
		{"the book", amqp.Described{Descriptor: amqp.Symbol("example:book:list"), Value: amqp.List{
			"AMQP for & by Dummies",
			amqp.Array{Code: 0xa1, Elems: []any{"Rob J. Godfrey", "Rafael H. Schloming"}},
			nil,
		}}, `00a311"example:book:list"c04003a115"AMQP for & by Dummies"e02502a10e"Rob J. Godfrey"13"Rafael H. Schloming"40`},
		{"array of described", amqp.Array{Code: 0x50, Descriptor: uint64(9), Elems: []any{uint8(1), uint8(2)}}, `e00702005309500102`},
		{"array of lists", amqp.Array{Code: 0xc0, Elems: []any{amqp.List{true}, amqp.List{}}}, `e00702c00201410100`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := literal(t, tt.want)
			got, err := amqp.AppendValue([]byte("before"), tt.v)
			if err != nil {
				t.Fatal(err)
			}
			if got = bytes.TrimPrefix(got, []byte("before")); !bytes.Equal(got, want) {
				t.Errorf("encoded\n%x, want\n%x", got, want)
			}
			v, rest, err := amqp.DecodeValue(append(want, 0xee))
			if err != nil || len(rest) != 1 {
				t.Fatalf("DecodeValue = %v, with %d bytes left, want 1", err, len(rest))
			}
			if diff := cmp.Diff(tt.v, v); diff != "" {
				t.Errorf("decoded (-want +got)\n%s", diff)
			}
		})
	}
}

// TestWideValues decodes encodings that are longer than they need to be.
func TestWideValues(t *testing.T) {
	tests := []struct {
		in   string
		want any
	}{
		{`5601`, true},
		{`5600`, false},
		{`7000000000`, uint32(0)},
		{`5200`, uint32(0)},
		{`800000000000000001`, uint64(1)},
		{`71ffffffff`, int32(-1)},
		{`81ffffffffffffffff`, int64(-1)},
		{`b100000001"a"`, "a"},
		{`b300000001"a"`, amqp.Symbol("a")},
		{`b000000000`, []byte{}},
		{`d00000000400000000`, amqp.List{}},
		{`d1000000060000000243"` + "\x43" + `"`, amqp.Map{{Key: uint32(0), Value: uint32(0)}}},
		{`f00000000500000002` + `41`, amqp.Array{Code: 0x41, Elems: []any{true, true}}},
	}
	for _, tt := range tests {
		v, rest, err := amqp.DecodeValue(literal(t, tt.in))
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, with %d bytes left", tt.in, err, len(rest))
		}
		if diff := cmp.Diff(tt.want, v); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.in, diff)
		}
	}
}

func TestMalformedValues(t *testing.T) {
	tests := map[string]string{
		"nothing":                      ``,
		"an unknown code":              `3f`,
		"another":                      `99`,
		"an unknown variable":          `a200`,
		"an unknown compound":          `c20100`,
		"an unknown array":             `e10100`,
		"a boolean of 2":               `5602`,
		"half a number":                `700000`,
		"half a uuid":                  `980000`,
		"a string that ends early":     `a105"abc"`,
		"four gigabytes":               `b1ffffffff`,
		"a string that is not UTF-8":   `a101ff`,
		"a symbol that is not ASCII":   `a302"é"`,
		"a described nothing":          `00`,
		"a described":                  `005301`,
		"a list without a count":       `c000`,
		"a list longer than its size":  `c0020241`,
		"a list shorter than its size": `c003014141`,
		"a list of four billion":       `d000000004ffffffff`,
		"a map of three":               `c10403414141`,
		"an array of no code":          `e00101`,
		"an array of an unknown code":  `e002013f`,
		"an array described by null":   `e0040100405001`,
		"an array of a billion nulls":  `f0000000053fffffff40`,
		"a deep list":                  strings.Repeat("d0ffffffff00000001", 40),
		"deep descriptors":             strings.Repeat("00", 100) + "4040",
	}
	for name, in := range tests {
		if v, _, err := amqp.DecodeValue(literal(t, in)); !errors.Is(err, amqp.ErrDecode) {
			t.Errorf("%s: DecodeValue = %v, %v, want ErrDecode", name, v, err)
		}
	}
}

func TestUnencodable(t *testing.T) {
	deep := any(nil)
	for range 40 {
		deep = amqp.List{deep}
	}
	tests := map[string]any{
		"an int":                    1,
		"a Go map":                  map[string]any{},
		"a pointer":                 new(string),
		"a string that is no text":  "\xff",
		"a symbol that is no ASCII": amqp.Symbol("é"),
		"a decimal of 5 bytes":      amqp.Decimal("12345"),
		"within a map":              amqp.Map{{Key: "k", Value: struct{}{}}},
		"a mixed array":             amqp.Array{Code: 0x81, Elems: []any{int64(1), "a"}},
		"an array of a narrow code": amqp.Array{Code: 0xa1, Elems: []any{strings.Repeat("x", 256)}},
		"an array of no code":       amqp.Array{},
		"too deep":                  deep,
	}
	for name, v := range tests {
		if b, err := amqp.AppendValue(nil, v); !errors.Is(err, amqp.ErrValue) {
			t.Errorf("%s: AppendValue = %x, %v, want ErrValue", name, b, err)
		}
	}
}

// TestMemory holds what decoding allocates to a multiple of what it reads.
func TestMemory(t *testing.T) {
	hollow := func(n int) []byte { // an array of n nulls
		return binary.BigEndian.AppendUint32([]byte{0xf0, 0, 0, 0, 5}, uint32(n))
	}
	inputs := map[string][]byte{
		"one hollow array":   append(hollow(1<<20), 0x40),
		"many hollow arrays": bytes.Repeat(append(hollow(1<<14), 0x40), 1<<10),
		"a hollow list":      binary.BigEndian.AppendUint32([]byte{0xd0, 0, 0, 0, 4}, math.MaxUint32),
		"nulls":              bytes.Repeat([]byte{0x40}, 1<<16),
		"empty strings":      bytes.Repeat([]byte{0xa1, 0}, 1<<15),
		"empty lists":        bytes.Repeat([]byte{0xc0, 1, 0}, 1<<14),
	}
	for name, items := range inputs {
		in := binary.BigEndian.AppendUint32([]byte{0xd0}, uint32(len(items)+4))
		in = append(binary.BigEndian.AppendUint32(in, 1<<14), items...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		amqp.DecodeValue(in)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(64*len(in)+1<<17) {
			t.Errorf("%s: %d bytes of input took %d bytes of memory", name, len(in), used)
		}
	}
}

// literal reads bytes from hexadecimal digits and, in quotes, text.
func literal(t *testing.T, s string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}
