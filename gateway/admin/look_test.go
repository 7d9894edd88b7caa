package admin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/admin"
)

func TestPluginLooks(t *testing.T) {
	s := serve(t)
	s.seed(t)
	s.ran = true
	p, err := s.api.Plugin(t.Context(), "tsi")
	if err != nil || p.Versions[1].Stats == nil || p.Versions[1].Stats.Events != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if body := s.want(t, 200, "GET", "/plugins/tsi/versions/1", ""); !strings.Contains(body, `"p99Micros":1.5`) {
		t.Error(body)
	}
	logs, err := s.api.PluginLogs(t.Context(), "tsi", 2, "warn", 7)
	if err != nil || logs.Dropped != 3 || logs.Items[0].Version != 2 || logs.Items[0].Text != "warn7" {
		t.Errorf("%+v, %v", logs, err)
	}
	s.want(t, 404, "GET", "/plugins/nothing/logs", "")
	for _, bad := range []string{"level=loud", "version=0", "version=x", "limit=0"} {
		s.want(t, 400, "GET", "/plugins/tsi/logs?"+bad, "")
	}
	all, err := s.api.TrapGroups(t.Context(), "")
	one, err2 := s.api.TrapGroups(t.Context(), "gate")
	if err != nil || err2 != nil || len(all) != 2 || len(one) != 1 || one[0].Latest.Plugin != "gate@2" {
		t.Errorf("%v, %v, %v, %v", all, one, err, err2)
	}
}

func TestSettings(t *testing.T) {
	s := serve(t)
	settings, err := s.api.Settings(t.Context())
	if err != nil || settings.Version != "test" || settings.Items[0].Value != "***" {
		t.Errorf("%+v, %v", settings, err)
	}
}

func TestEmulator(t *testing.T) {
	s := serve(t)
	emulated, err := s.api.Emulated(t.Context(), "serviceBus", 3)
	var one struct {
		Name   string
		Active int
	}
	if err != nil || !emulated.Running || len(emulated.Items) != 1 || json.Unmarshal(emulated.Items[0], &one) != nil || one.Name != "orders" || one.Active != 3 {
		t.Errorf("%s, %v", emulated.Items, err)
	}
	if body := s.want(t, 200, "GET", "/emulator?name=nothing", ""); body != `{"running":true,"items":[]}`+"\n" {
		t.Error(body)
	}
	s.want(t, 400, "GET", "/emulator?service=x", "")
	s.want(t, 400, "GET", "/emulator?limit=1001", "")
	if body := serveWith(t, admin.Options{}).want(t, 200, "GET", "/emulator", ""); body != `{"running":false,"items":[]}`+"\n" {
		t.Errorf("without an emulator: %s", body)
	}
}
