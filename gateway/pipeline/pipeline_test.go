package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
)

// stage makes a stage of a function that says what becomes of one item.
type stage func(id string) ([]string, error)

func (s stage) Run(_ context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	for _, item := range in {
		if item.Err != nil {
			return nil, fmt.Errorf("stage was given the failed item %s", item.Event.ID)
		}
		ids, err := s(item.Event.ID)
		if err != nil {
			item.Err = err
			out = append(out, item)
			continue
		}
		for _, id := range ids {
			e := *item.Event
			e.ID = id
			next := item
			next.Event = &e
			out = append(out, next)
		}
	}
	return out, nil
}

func TestPipelineRun(t *testing.T) {
	double := stage(func(id string) ([]string, error) { return []string{id + "x", id + "y"}, nil })
	dropB := stage(func(id string) ([]string, error) {
		if strings.HasPrefix(id, "b") {
			return nil, nil
		}
		return []string{id}, nil
	})
	failC := stage(func(id string) ([]string, error) {
		if strings.HasPrefix(id, "c") {
			return nil, errors.New("poison")
		}
		return []string{id + "!"}, nil
	})
	tests := []struct {
		name   string
		stages []pipeline.Stage
		want   string
	}{
		{"no stage passes everything", nil, "0:a 1:b 2:c 3:d"},
		{"a filter drops", []pipeline.Stage{dropB}, "0:a 2:c 3:d"},
		{"a transform multiplies", []pipeline.Stage{dropB, double}, "0:ax 0:ay 2:cx 2:cy 3:dx 3:dy"},
		{"a failed event stays in its place and passes the rest by", []pipeline.Stage{failC, double, failC}, "0:a!x! 0:a!y! 1:b!x! 1:b!y! 2:c(poison) 3:d!x! 3:d!y!"},
		{"one output of two fails", []pipeline.Stage{double, stage(func(id string) ([]string, error) {
			if id == "ay" {
				return nil, errors.New("half")
			}
			return []string{id}, nil
		}), dropB}, "0:ax 0:ay(half) 2:cx 2:cy 3:dx 3:dy"},
	}
	var buf pipeline.Buffer
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var in []pipeline.Item
			for i, id := range []string{"a", "b", "c", "d"} {
				e := &event.Event{ID: id}
				in = append(in, pipeline.Item{Origin: i, Source: e, Event: e})
			}
			out, err := pipeline.New(tt.stages...).Run(t.Context(), in, &buf)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, item := range out {
				s := fmt.Sprintf("%d:%s", item.Origin, item.Event.ID)
				if item.Err != nil {
					s += "(" + item.Err.Error() + ")"
				}
				got = append(got, s)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}

func TestPipelineRunReportsAStageThatCannotRun(t *testing.T) {
	broken := brokenStage{errors.New("no memory")}
	e := &event.Event{ID: "a"}
	_, err := pipeline.New(broken).Run(t.Context(), []pipeline.Item{{Source: e, Event: e}}, new(pipeline.Buffer))
	if !errors.Is(err, broken.err) {
		t.Errorf("err = %v, want %v", err, broken.err)
	}
}

type brokenStage struct{ err error }

func (b brokenStage) Run(context.Context, []pipeline.Item, []pipeline.Item) ([]pipeline.Item, error) {
	return nil, b.err
}
