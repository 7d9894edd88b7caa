package main

import (
	"time"

	"github.com/headgate/headgate/gateway/catalog"
)

// durationFlag is a flag of a duration as the API takes it: also in whole days,
// such as 7d.
type durationFlag struct{ to *time.Duration }

func (f durationFlag) Set(s string) error {
	var d catalog.Duration
	if err := d.UnmarshalText([]byte(s)); err != nil {
		return err
	}
	*f.to = time.Duration(d)
	return nil
}

// String is empty for none, which help then does not call a default.
func (f durationFlag) String() string {
	if f.to == nil || *f.to == 0 {
		return ""
	}
	return catalog.Duration(*f.to).String()
}

func (f durationFlag) Type() string { return "duration" }
