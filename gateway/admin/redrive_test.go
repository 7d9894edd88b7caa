package admin_test

import (
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
)

func TestLetterGroups(t *testing.T) {
	s := serve(t)
	s.letters = []delivery.Kept{letter(7, "hub"), letter(8, "hub")}
	groups, err := s.api.LetterGroups(t.Context(), "hub")
	if err != nil || len(groups.Items) != 1 || groups.Items[0].Count != 2 || len(groups.Items[0].Series) != 40 {
		t.Fatalf("%+v, %v", groups, err)
	}
	n := 0
	for l, err := range s.api.LettersOfGroup(t.Context(), groups.Items[0].ID) {
		if n++; err != nil || l.Endpoint != "hub" {
			t.Errorf("%+v, %v", l, err)
		}
	}
	if n != 2 {
		t.Errorf("%d letters of the group, want 2", n)
	}
	s.want(t, 200, "GET", "/dead-letters/groups?steps=200&limit=1", "")
	for _, bad := range []string{"steps=0", "steps=201", "steps=x", "limit=0"} {
		s.want(t, 400, "GET", "/dead-letters/groups?"+bad, "")
	}
	done, err := s.api.Redrive(t.Context(), catalog.Selection{Group: "abc"})
	if err != nil || done.Redriving != 2 || done.Job == nil || done.Job.ID != "r-1" {
		t.Errorf("%+v, %v", done, err)
	}
	if body := s.want(t, 400, "POST", "/dead-letters/redrive", `{"group":"abc","all":true}`); !strings.Contains(body, "exactly one") {
		t.Error(body)
	}
}

func TestRedriveJobs(t *testing.T) {
	s := serve(t)
	jobs, err := s.api.Redrives(t.Context())
	if err != nil || len(jobs) != 1 || jobs[0].Pending != 3 {
		t.Errorf("%+v, %v", jobs, err)
	}
	if j, err := s.api.RedriveJob(t.Context(), "r-1"); err != nil || j.State != catalog.RedriveRunning || len(j.Refusals) != 1 {
		t.Errorf("%+v, %v", j, err)
	}
	if j, err := s.api.StopRedrive(t.Context(), "r-1"); err != nil || j.State != catalog.RedriveStopped || j.EndedAt.IsZero() {
		t.Errorf("%+v, %v", j, err)
	}
	s.want(t, 404, "GET", "/redrives/r-2", "")
	s.want(t, 404, "DELETE", "/redrives/r-2", "")
	s.want(t, 405, "PUT", "/redrives/r-1", "{}")
}

func TestPreview(t *testing.T) {
	s := serve(t)
	s.letters = []delivery.Kept{letter(7, "hub"), letter(8, "hub")}
	p, err := s.api.Preview(t.Context(), catalog.Selection{Endpoint: "hub"}, 1)
	if err != nil || len(p.Items) != 1 || p.Selected != 2 || p.Counts["changed"] != 1 || len(p.Items[0].Outputs[0].Diff) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{`{}`, `{"all":true,"limit":0}`, `{"all":true,"limit":201}`, `{"all":true,"confirm":true}`, `[]`, ``} {
		s.want(t, 400, "POST", "/dead-letters/preview", bad)
	}
}
