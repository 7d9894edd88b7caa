package sdk

import "errors"

var (
	errNoData = errors.New("the event has no data")
	errConfig = errors.New("config is not a JSON object")
	errKind   = errors.New("the plugin is not of this kind")
	errNoFunc = errors.New("the plugin opened no function")
)

func wrap(what string, err error) error { return errors.New(what + ": " + err.Error()) }
