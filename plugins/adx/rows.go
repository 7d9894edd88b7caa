package main

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// rows gathers rows, JSON objects. A column without a value is left out: in the
// table it is empty.
type rows struct {
	camel bool

	head []byte // what every row begins with
	all  []byte // the rows, each with a line break behind it
	ends []int  // of the rows, before the line break
	list []byte // the array that send makes of them
}

func (r *rows) reset() {
	r.head = append(r.head[:0], '{')
	r.all, r.ends = r.all[:0], r.ends[:0]
}

// share begins, before the first row, the columns that every row has, and shared
// ends them.
func (r *rows) share() { r.begin() }

func (r *rows) shared() { r.head, r.all = append(r.head[:0], r.all...), r.all[:0] }

func (r *rows) begin() { r.all = append(r.all, r.head...) }

func (r *rows) end() {
	r.all = append(r.all, '}')
	r.ends = append(r.ends, len(r.all))
	r.all = append(r.all, '\n')
}

// column starts a member by the name of its column, in Pascal case.
func (r *rows) column(name string) {
	if r.all[len(r.all)-1] != '{' {
		r.all = append(r.all, ',')
	}
	r.all = append(r.all, '"')
	first := len(r.all)
	r.all = append(append(r.all, name...), '"', ':')
	if r.camel {
		r.all[first] += 'a' - 'A'
	}
}

func (r *rows) text(column, s string) {
	if s != "" {
		r.column(column)
		r.all = json.AppendQuoted(r.all, s)
	}
}

// value writes v as it stands, but on one line.
func (r *rows) value(column string, v json.Value) {
	if v.Kind() == json.Invalid {
		return
	}
	r.column(column)
	start := len(r.all)
	r.all = append(r.all, v...)
	if bytes.IndexByte(v, '\n') >= 0 || bytes.IndexByte(v, '\r') >= 0 {
		for i := start; i < len(r.all); i++ {
			if c := r.all[i]; c == '\n' || c == '\r' {
				r.all[i] = ' ' // between tokens: in strings they are escaped
			}
		}
	}
}

// The formats that Azure Data Explorer reads the outputs in.
const (
	formatJSON  = "json"      // an object, or several by line
	formatMulti = "multijson" // an array of objects
)

// maxOutputs is how many a gateway takes of one event.
const maxOutputs = 1024

var errMany = errors.New(`more than 1024 rows: with "output" at "rows" each is an output, and there can be no more of one event`)

// send makes the outputs for the rows.
func (h *historian) send(table string, e *sdk.Event, out *sdk.Outputs) error {
	r := &h.rows
	if len(r.ends) == 0 {
		return nil
	}
	switch h.output {
	case asArray:
		// Every line break but the last parts two rows.
		for _, end := range r.ends {
			r.all[end] = ','
		}
		r.all[len(r.all)-1] = ']'
		r.list = append(append(r.list[:0], '['), r.all...)
		h.add(table, formatMulti, "application/json", r.list, out)
	case asLines:
		h.add(table, formatJSON, "application/x-ndjson", r.all, out)
	case asRows:
		if len(r.ends) > maxOutputs {
			return errMany
		}
		start := 0
		for i, end := range r.ends {
			o := h.add(table, formatJSON, "application/json", r.all[start:end], out)
			if i > 0 { // source and id together name an event
				o.SetID(e.ID() + "-" + strconv.Itoa(i))
			}
			start = end + 1
		}
	}
	return nil
}

func (h *historian) add(table, format, contentType string, data []byte, out *sdk.Outputs) *sdk.Output {
	o := out.Add()
	o.SetData(data)
	o.SetDataContentType(contentType)
	o.SetDataSchema("")
	o.SetExtension("table", table)
	o.SetProperty("Table", table)
	o.SetProperty("Format", format)
	return o
}
