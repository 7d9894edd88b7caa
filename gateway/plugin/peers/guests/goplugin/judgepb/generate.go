// Package judgepb is the judge of events as go-plugin generates it, for its
// hosts and its guests.
package judgepb

//go:generate protoc --go-plugin_out=. --go-plugin_opt=paths=source_relative judge.proto
