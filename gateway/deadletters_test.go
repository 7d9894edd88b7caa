package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/headgate/headgate/gateway/sink/blob/azurite"
)

// TestDeadLettersAreCopied holds that an endpoint with a container for them has
// its dead letters there too, before and after a start, and that a container
// that is gone shows and holds nothing up.
func TestDeadLettersAreCopied(t *testing.T) {
	uri, owner := azurite.Container(t)
	signature, err := owner.GetSASURL(sas.ContainerPermissions{Read: true, Add: true, Create: true, Write: true}, time.Now().Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir, k := t.TempDir(), serveSink(t)
	k.answers(http.StatusUnprocessableEntity)
	put := func(s *server, uri string) reply {
		return s.api(http.MethodPut, "/endpoints/dead", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q,"deadLetterUri":%q}}`, k.URL+"/in", uri))
	}
	s := start(t, dir)
	for _, bad := range []string{"", "not a uri", "ftp://host/c", "https://account.blob.core.windows.net/"} {
		if p := put(s, bad).problem(t, 400); p["field"] != "settings.deadLetterUri" {
			t.Errorf("deadLetterUri %q: field %v", bad, p["field"])
		}
	}
	shown := put(s, signature).want(t, 201).body
	if strings.Contains(shown, "sig=") && !strings.Contains(shown, "sig=***") || !strings.Contains(shown, strings.TrimPrefix(uri, "http://")) {
		t.Errorf("the endpoint is shown as %s", shown)
	}
	s.put("/routes/dead", `{"endpointName":"dead","filter":"source = 'dead'"}`)
	s.send(from("dead", update("1", "room", "/x", "1")), from("dead", update("2/..", "room", "/x", "2")))
	want := []string{"/1.json", "/2%2F...json"}
	eventually(t, "two blobs", func() bool { return len(blobs(t, owner)) == 2 })
	for i, name := range blobs(t, owner) {
		if day := time.Now().UTC().Format("dead/2006/01/02/"); !strings.HasPrefix(name, day) || i == 0 && !strings.HasSuffix(name, want[0]) {
			t.Errorf("blob %d is %s, want it below %s", i, name, day)
		}
	}
	if n := len(s.letters("dead")); n != 2 {
		t.Errorf("%d letters are kept, want both", n)
	}
	s.stop()

	s = start(t, dir)
	s.send(from("dead", update("3", "room", "/x", "3")))
	eventually(t, "the third blob", func() bool { return len(blobs(t, owner)) == 3 })

	gone := strings.Replace(signature, "?", "-gone?", 1)
	put(s, gone).want(t, 200)
	s.send(from("dead", update("4", "room", "/x", "4")))
	eventually(t, "why the letters are not copied", func() bool {
		text, _ := s.state("dead")["deadLetterError"].(string)
		return strings.Contains(text, "403 AuthorizationFailure") && !strings.Contains(text, "sig=")
	})
	put(s, signature).want(t, 200)
	eventually(t, "the fourth blob", func() bool { return len(blobs(t, owner)) == 4 })
}

func blobs(t *testing.T, c *container.Client) (names []string) {
	t.Helper()
	for pages := c.NewListBlobsFlatPager(nil); pages.More(); {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Segment.BlobItems {
			names = append(names, *b.Name)
		}
	}
	slices.Sort(names)
	return names
}
