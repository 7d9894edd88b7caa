package demo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// line is a row of machines, and the order that is made on it, if there is one.
type line struct {
	id       string
	machines []*machine
	speed    float64 // units a minute
	order    string
	quantity int
	done     int
}

func (l *line) running() bool { return l.order != "" }

// makes is the name of the relationship from a line to the order that it makes.
const makes = "makes"

// products are what is ordered.
var products = [...]string{"bracket", "housing", "cover"}

// work goes on with the order of a line: it begins a new one, counts what is done
// of it, or ends it.
func (f *Factory) work(now time.Time, l *line) {
	switch {
	case !l.running():
		f.orders++
		l.order, l.quantity, l.done = fmt.Sprintf("order-%d", f.orders), 40+10*f.rnd.IntN(5), 0
		f.will(
			f.lifecycle(now, event.TwinCreate, l.order, OrderModel, f.orderOf(l)...),
			f.relationship(now, event.RelationshipCreate, l.id, makes, l.order, property{"done", "0"}),
			f.update(now, l.id, LineModel, operation{"add", "/order", fmt.Sprintf("%q", l.order)}, replace("/running", "true")),
		)
	case l.done < l.quantity:
		l.done = min(l.done+3+f.rnd.IntN(10), l.quantity)
		f.will(f.relationshipUpdate(now, l.id, makes, l.order, LineModel, replace("/done", strconv.Itoa(l.done))))
	default:
		f.will(
			f.relationship(now, event.RelationshipDelete, l.id, makes, l.order, property{"done", strconv.Itoa(l.done)}),
			f.update(now, l.id, LineModel, operation{"remove", "/order", ""}, replace("/running", "false")),
			f.lifecycle(now, event.TwinDelete, l.order, OrderModel, f.orderOf(l)...),
		)
		l.order = ""
	}
}

// orderOf are the properties of the order on a line.
func (f *Factory) orderOf(l *line) []property {
	return []property{{"product", fmt.Sprintf("%q", products[l.quantity/10%len(products)])}, {"quantity", strconv.Itoa(l.quantity)}}
}
