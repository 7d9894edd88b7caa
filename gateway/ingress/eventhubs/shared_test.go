package eventhubs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
	"github.com/headgate/headgate/gateway/sink/blob/azurite"
)

func TestMain(m *testing.M) { os.Exit(azurite.Main(m)) }

// container is a fresh container for checkpoints, in the terms of the settings.
func container(t testing.TB) map[string]any {
	t.Helper()
	url, _ := azurite.Container(t)
	at := strings.LastIndexByte(url, '/')
	return map[string]any{
		"checkpointConnectionString": "AccountName=" + azurite.Account + ";AccountKey=" + azurite.Key + ";BlobEndpoint=" + url[:at],
		"checkpointContainer":        url[at+1:],
	}
}

// TestSharedResumes holds that another gateway goes on where one has stopped.
func TestSharedResumes(t *testing.T) {
	n, j, settings := start(t, 2), &pulltest.Journal{}, container(t)
	for round := range 3 {
		r := run(t, j, nil, n.settings(settings))
		for p := range 2 {
			n.send(t, fmt.Sprint(p), numbered(fmt.Sprint(p), 30*round, 30*round+30)...)
		}
		wantAll(t, j, r, 60*(round+1))
		if s := r.Status(); s.State != pull.Running {
			t.Errorf("status = %+v", s)
		}
		r.Stop()
	}
}

// TestSharedLatest holds that what comes between two runs is read, and nothing
// from before the first.
func TestSharedLatest(t *testing.T) {
	n, j, settings := start(t, 1), &pulltest.Journal{}, container(t)
	settings["start"] = "latest"
	n.send(t, "0", numbered("0", 0, 10)...)
	r := run(t, j, nil, n.settings(settings))
	pulltest.Eventually(t, "running", func() bool { return r.Status().State == pull.Running })
	r.Stop()
	n.send(t, "0", numbered("0", 10, 12)...)
	r = run(t, j, nil, n.settings(settings))
	pulltest.Eventually(t, "two events", func() bool { return j.Len() == 2 })
	if got := j.Accepted()[0].ID; got != "0-00010" {
		t.Errorf("the first event is %s, want 0-00010", got)
	}
	r.Stop()
}

// TestShares holds that two gateways share the partitions out, that all is read
// while they do, and in the order of its partition by each of them.
func TestShares(t *testing.T) {
	n, settings := start(t, 4), container(t)
	var journals [2]pulltest.Journal
	var sources [2]*pulltest.Running
	sources[0] = run(t, &journals[0], nil, n.settings(settings))
	sent := 0
	send := func() {
		for p := range 4 {
			n.send(t, fmt.Sprint(p), numbered(fmt.Sprint(p), sent, sent+10)...)
		}
		sent += 10
	}
	send()
	pulltest.Eventually(t, "the first to read all", func() bool { return journals[0].Len() == 40 })
	sources[1] = run(t, &journals[1], nil, n.settings(settings))
	pulltest.Eventually(t, "the second to read some", func() bool {
		send()
		return journals[1].Len() > 0
	})
	seen := map[string]bool{}
	pulltest.Eventually(t, "all events", func() bool {
		clear(seen)
		for i := range journals {
			for _, e := range journals[i].Accepted() {
				seen[e.ID] = true
			}
		}
		return len(seen) == 4*sent
	})
	for i := range journals {
		last := map[string]string{}
		for _, e := range journals[i].Accepted() {
			if e.ID <= last[e.Subject] {
				t.Errorf("gateway %d took %s after %s", i, e.ID, last[e.Subject])
			}
			last[e.Subject] = e.ID
		}
	}
}

// TestSharedReasons holds what is said of a container or a group that is not
// there, which the SDK's processor does not tell.
func TestSharedReasons(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"ContainerNotFound": func(m map[string]any) { m["checkpointContainer"] = "nowhere" },
		"no consumer group": func(m map[string]any) { m["consumerGroup"] = "none" },
	} {
		n, settings := start(t, 1), container(t)
		change(settings)
		r := run(t, &pulltest.Journal{}, nil, n.settings(settings))
		pulltest.Eventually(t, "a failing source", func() bool { return r.Status().State == pull.Failing })
		if reason := r.Status().Reason; !strings.Contains(reason, name) || strings.Contains(reason+r.Log(), azurite.Key) {
			t.Errorf("reason = %s, want %q", reason, name)
		}
	}
}
