// Package guest is the conformance guest of package tck, in Go. Its
// documentation is the specification for a guest in another language, written
// with that language's SDK.
//
// The guest is a filter and a transform called "tck". Its configuration may
// hold two strings: one with "refuse" is refused with these words; "label" is
// told by mirror.
//
// An event's type says what is done with it, its data is the argument, as text.
// As a filter:
//
//	pass    it passes; so does an event of a type that is not listed
//	none    it does not pass
//	fail    it fails with the data as words
//	trap    the guest panics
//
// As a transform; a type that is not listed is copy:
//
//	copy    one output, the event as it came
//	none    no output
//	many    as many outputs as the data says, with "-0", "-1", … added to the id
//	fail    an output is added, and then the event fails with the data as words
//	trap    the guest panics
//	mirror  the event with other data: JSON of all that the guest sees, see below
//	size    the event with other data: as many bytes "x" as the data says
//	log     the data is logged at level warn; then as copy
//	set     the event with what the data says: a JSON object whose members are set
//	        in order
//
// The members of set are attributes by their names and "sessionid",
// "partitionkey" and "messageid" (strings); "text", the data, null for none;
// "scheduled" (milliseconds since 1970) and "ttl" (milliseconds); "extensions"
// and "properties", objects of strings, in which null removes an extension.
//
// mirror writes, without blanks, {"label":…,"id":…,"source":…,"type":…,
// "subject":…,"time":…,"datacontenttype":…,"dataschema":…,"twin":…,
// "extensions":[[name,value],…],"data":…}: an attribute that is absent is "",
// data are in hexadecimal digits of lower case, and null where there are none.
package guest

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// Plugin returns the guest.
func Plugin() sdk.Plugin {
	return sdk.Plugin{
		Name: "tck", Description: "Does what each event says.", Config: `{"type":"object"}`,
		Filter: openFilter, Transform: openTransform,
	}
}

func label(config json.Value) (string, error) {
	if words, ok := config.At("refuse").String(); ok {
		return "", errors.New(words)
	}
	label, _ := config.At("label").String()
	return label, nil
}

func openFilter(config json.Value) (sdk.FilterFunc, error) {
	if _, err := label(config); err != nil {
		return nil, err
	}
	return func(e *sdk.Event) (bool, error) {
		switch e.Type() {
		case "none":
			return false, nil
		case "fail":
			return false, errors.New(string(e.Data()))
		case "trap":
			panic("trap")
		}
		return true, nil
	}, nil
}

func openTransform(config json.Value) (sdk.TransformFunc, error) {
	label, err := label(config)
	if err != nil {
		return nil, err
	}
	return func(e *sdk.Event, out *sdk.Outputs) error { return transform(e, out, label) }, nil
}

func transform(e *sdk.Event, out *sdk.Outputs, label string) error {
	switch e.Type() {
	case "none":
		return nil
	case "fail":
		out.Add()
		return errors.New(string(e.Data()))
	case "trap":
		panic("trap")
	case "many":
		n, err := strconv.Atoi(string(e.Data()))
		for i := range n {
			out.Add().SetID(e.ID() + "-" + strconv.Itoa(i))
		}
		return err
	case "size":
		n, err := strconv.Atoi(string(e.Data()))
		out.Add().SetData([]byte(strings.Repeat("x", n)))
		return err
	case "mirror":
		out.Add().SetData(mirror(e, label))
		return nil
	case "set":
		return set(e, out.Add())
	case "log":
		sdk.Log(sdk.Warn, string(e.Data()))
	}
	out.Add()
	return nil
}

func mirror(e *sdk.Event, label string) []byte {
	var w json.Writer
	w.BeginObject()
	for _, m := range [...]struct{ name, value string }{
		{"label", label}, {"id", e.ID()}, {"source", e.Source()}, {"type", e.Type()}, {"subject", e.Subject()}, {"time", e.Time()},
		{"datacontenttype", e.DataContentType()}, {"dataschema", e.DataSchema()}, {"twin", e.TwinID()},
	} {
		w.Name(m.name)
		w.String(m.value)
	}
	w.Name("extensions")
	w.BeginArray()
	for name, value := range e.Extensions() {
		w.BeginArray()
		w.String(name)
		w.String(value)
		w.EndArray()
	}
	w.EndArray()
	w.Name("data")
	if e.Data() == nil {
		w.Null()
	} else {
		w.String(hex.EncodeToString(e.Data()))
	}
	w.EndObject()
	return w.Bytes()
}

func set(e *sdk.Event, o *sdk.Output) error {
	members, err := e.JSON()
	if err != nil {
		return err
	}
	texts := map[string]func(string){
		"id": o.SetID, "source": o.SetSource, "type": o.SetType, "subject": o.SetSubject, "time": o.SetTime,
		"datacontenttype": o.SetDataContentType, "dataschema": o.SetDataSchema,
		"sessionid": o.SetSessionID, "partitionkey": o.SetPartitionKey, "messageid": o.SetMessageID,
	}
	for key, v := range members.Members() {
		text, isText := v.String()
		number, _ := v.Int()
		switch name := key.String(); {
		case texts[name] != nil:
			texts[name](text)
		case name == "text" && isText:
			o.SetData([]byte(text))
		case name == "text":
			o.RemoveData()
		case name == "scheduled":
			o.SetScheduledTime(time.UnixMilli(number))
		case name == "ttl":
			o.SetTimeToLive(time.Duration(number) * time.Millisecond)
		case name == "properties":
			for k, v := range v.Members() {
				text, _ := v.String()
				o.SetProperty(k.String(), text)
			}
		case name == "extensions":
			for k, v := range v.Members() {
				if text, ok := v.String(); ok {
					o.SetExtension(k.String(), text)
				} else {
					o.RemoveExtension(k.String())
				}
			}
		default:
			return errors.New("nobody knows how to set " + name)
		}
	}
	return nil
}
