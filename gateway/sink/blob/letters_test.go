package blob_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/blob"
)

var deadAt = time.Date(2026, 3, 5, 8, 59, 59, 0, time.FixedZone("", 3600))

// newLetters opens Letters by a signature with the given rights.
func newLetters(t *testing.T, rights sas.ContainerPermissions) (*blob.Letters, *container.Client) {
	t.Helper()
	_, owner := newContainer(t)
	uri, err := owner.GetSASURL(rights, time.Now().Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := blob.NewLetters("deadLetterSecret", uri, blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, owner
}

func letter(id, source string) delivery.DeadLetter {
	return delivery.DeadLetter{
		Reason: "401 Unauthorized", DeadAt: deadAt,
		Delivery: delivery.Delivery{Endpoint: "hub", Route: "all", Attempts: 3, Event: event.Event{
			ID: id, Source: source, Type: event.TwinUpdate, Subject: "boiler-7", DataContentType: "application/json", Data: []byte(`{"a": 1}`),
			Extensions: []event.Extension{{Name: "idempotencykey", Value: "k"}, {Name: "producedby", Value: "p"}, {Name: "traceparent", Value: "00-1-2-01"}},
		}},
	}
}

// TestLetters compares layout and content with those of Azure Digital Twins.
func TestLetters(t *testing.T) {
	l, owner := newLetters(t, sas.ContainerPermissions{Write: true})
	plain := letter("39d4abb9-e3ee-4ed5-ad17-2243a9784946", "plant.example")
	changed := letter("2", "plant.example")
	origin := event.Event{ID: "as-it-came", Source: "s", Type: "t"}
	changed.Delivery.Origin = &origin
	unrendered := letter("3", "plant.example")
	unrendered.Delivery.Unrendered = true
	odd := letter("a/../b?c#d %ü\n", "plant.example")
	long := letter(strings.Repeat("x", 5000), "plant.example")
	for _, d := range []delivery.DeadLetter{plain, changed, unrendered, odd, long} {
		for range 3 { // Put may be repeated
			if err := l.Put(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
	}
	whole := func(id, extensions string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"plant.example","type":"Microsoft.DigitalTwins.Twin.Update","subject":"boiler-7",` +
			`"datacontenttype":"application/json",` + extensions + `"traceparent":"00-1-2-01","data":{"a": 1}}`
	}
	const dir = "hub/2026/03/05/07/"
	for name, want := range map[string]string{
		"39d4abb9-e3ee-4ed5-ad17-2243a9784946": whole("39d4abb9-e3ee-4ed5-ad17-2243a9784946", ""),
		"as-it-came":                           `{"specversion":"1.0","id":"as-it-came","source":"s","type":"t"}`,
		"3":                                    whole("3", `"idempotencykey":"k","producedby":"p",`),
		"a=2F..=2Fb=3Fc=23d=20=25=C3=BC=0A":    whole(`a/../b?c#d %ü\n`, ""),
	} {
		if got := string(download(t, owner, dir+name+".json")); got != want {
			t.Errorf("%s holds %s, want %s", name, got, want)
		}
	}
	// A signature that may only write cannot find out what is there already.
	if names := list(t, owner); len(names) != 10 {
		t.Errorf("%d blobs: %q", len(names), names)
	}
}

// TestLettersOnce puts letters where the container may be read: one blob for
// an event, whoever gave it up, and one of its own for another with its id.
func TestLettersOnce(t *testing.T) {
	l, owner := newLetters(t, sas.ContainerPermissions{Write: true, Read: true})
	again := letter("1", "plant.example")
	again.Delivery.Route, again.Reason, again.Delivery.Output = "other", "other", 1
	later := letter("1", "plant.example")
	later.DeadAt = deadAt.Add(time.Second)
	for _, d := range []delivery.DeadLetter{letter("1", "plant.example"), again, letter("1", "other.example"), letter("1", "other.example"), later} {
		if err := l.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	names := list(t, owner)
	if len(names) != 3 || names[1] != "hub/2026/03/05/07/1.json" || names[2] != "hub/2026/03/05/08/1.json" || !strings.HasPrefix(names[0], "hub/2026/03/05/07/1-") {
		t.Fatalf("blobs %q", names)
	}
	for name, source := range map[string]string{names[0]: "other.example", names[1]: "plant.example"} {
		if got := string(download(t, owner, name)); !strings.Contains(got, source) {
			t.Errorf("%s holds %s, want the event from %s", name, got, source)
		}
	}
}

// TestLettersAsDocumented writes the event of the documentation, where it is at hand.
func TestLettersAsDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../../../shared/fixtures/adt/deadletter-twin-create.json")
	if err != nil {
		t.Skip("the fixtures of Azure Digital Twins are not beside the module")
	}
	e, err := event.DecodeJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	l, owner := newLetters(t, sas.ContainerPermissions{Create: true})
	if err := l.Put(t.Context(), delivery.DeadLetter{DeadAt: deadAt, Delivery: delivery.Delivery{Endpoint: "hub", Event: e}}); err != nil {
		t.Fatal(err)
	}
	got := decode(t, download(t, owner, "hub/2026/03/05/07/"+e.ID+".json"))
	if fmt.Sprint(got) != fmt.Sprint(e) {
		t.Errorf("got %+v, want %+v", got, e)
	}
}

func TestLettersFail(t *testing.T) {
	l, owner := newLetters(t, sas.ContainerPermissions{Read: true})
	err := l.Put(t.Context(), letter("1", "s"))
	if err == nil || !strings.Contains(err.Error(), "dead letter: PUT http://127.0.0.1") || !strings.Contains(err.Error(), "403 Authoriz") {
		t.Errorf("without the right: %v", err)
	}
	requireNoSecret(t, err.Error())
	if _, err := owner.Delete(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Put(ended, letter("1", "s")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	var fault *sink.SettingError
	if _, err := blob.NewLetters("deadLetterSecret", "ftp://x/?sig=s3cret", blob.Options{}); !errors.As(err, &fault) || fault.Field != "deadLetterSecret" || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("no URL: %v", err)
	}
}
