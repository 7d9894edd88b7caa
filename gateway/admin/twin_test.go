package admin_test

import (
	"testing"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func TestTwin(t *testing.T) {
	s := serve(t)
	p, err := s.api.Twin(t.Context(), catalog.TwinQuery{Key: "room 1/ü", Limit: 5, After: event.Position{Seq: 9}, To: catalog.Bound{Position: event.Position{Seq: 9}}})
	if err != nil || p.Key != "room 1/ü" || p.Covered.Events != 5 || p.Items[0].Event.Subject != "room 1/ü" || len(p.Items[0].Deliveries) != 1 || p.Series[0].Points[0] != (catalog.TwinPoint{1772366400000, 21.5}) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"", "key=a&from=x", "key=a&to=x", "key=a&after=x", "key=a&limit=0"} {
		s.want(t, 400, "GET", "/twins?"+bad, "")
	}
}
