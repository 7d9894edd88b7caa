package sdk

import "errors"

var (
	errNoData = errors.New("the event has no data")
	errConfig = errors.New("config is not a JSON object")
	errKind   = errors.New("the plugin is not of this kind")
	errNoFunc = errors.New("the plugin opened no function")

	errNoPatch = errors.New(`data has no array "patch"`)
	errPatches = errors.New(`data has more than one "patch"`)

	errOperation = errors.New("it is not an object")
	errNoValue   = errors.New("it has no value")
	errPath      = errors.New("its path is not a string that starts with a slash")
)

func wrap(what string, err error) error { return errors.New(what + ": " + err.Error()) }
