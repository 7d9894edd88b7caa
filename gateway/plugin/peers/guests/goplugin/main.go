//go:build wasip1

// Command goplugin is the guest for go-plugin, over the code that it generates
// from judgepb/judge.proto.
package main

import (
	"context"

	"github.com/headgate/headgate/gateway/plugin/peers/guests/goplugin/judgepb"
	"github.com/headgate/headgate/gateway/plugin/peers/guests/wanted"
)

func init() { judgepb.RegisterJudge(judge{}) }

func main() {}

type judge struct{}

func (judge) Pass(context.Context, *judgepb.Event) (*judgepb.Verdict, error) {
	return &judgepb.Verdict{Pass: true}, nil
}

func (judge) PassAll(_ context.Context, in *judgepb.Events) (*judgepb.Verdicts, error) {
	out := make([]byte, len(in.Events))
	for i := range out {
		out[i] = 1
	}
	return &judgepb.Verdicts{Pass: out}, nil
}

func (judge) Filter(_ context.Context, e *judgepb.Event) (*judgepb.Verdict, error) {
	return &judgepb.Verdict{Pass: wanted.Split(e.Type, e.Data)}, nil
}

func (judge) FilterAll(_ context.Context, in *judgepb.Events) (*judgepb.Verdicts, error) {
	out := make([]byte, len(in.Events))
	for i, e := range in.Events {
		if wanted.Split(e.Type, e.Data) {
			out[i] = 1
		}
	}
	return &judgepb.Verdicts{Pass: out}, nil
}
