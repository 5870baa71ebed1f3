package main

import (
	"strconv"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// recordedOrders is the JSON of history --orders, the last first.
type recordedOrders struct {
	Tenant string          `json:"tenant"`
	Orders []recordedOrder `json:"orders"`
}

type recordedOrder struct {
	Verb    job.Verb `json:"verb"`
	Started string   `json:"started"`
	Ended   string   `json:"ended"`
	People  int      `json:"people"`
	Failed  int      `json:"failed"`
	Reason  string   `json:"reason,omitempty"`
}

// ordersView shows the orders that have ended on this machine.
func (c *call) ordersView(tenant string, records []job.Record, limit int) view {
	v := view{
		before: []line{{text: c.say("history.orders", language.Number(len(records)))}},
		table: screen.Table{Columns: []screen.Column{
			{Title: c.say("column.started")}, {Title: c.say("column.order")}, {Title: c.say("column.people"), Right: true},
			{Title: c.say("column.failed"), Right: true}, {Title: c.say("column.reason")},
		}},
		sheet: screen.Table{Columns: []screen.Column{
			{Title: "verb"}, {Title: "started"}, {Title: "ended"}, {Title: "people"}, {Title: "failed"}, {Title: "reason"},
		}},
		next: []hint{{"history --names", "hint.names"}, {"check", "hint.check"}},
	}
	object := recordedOrders{Tenant: tenant, Orders: []recordedOrder{}}
	for i, r := range records {
		if limit == 0 || i < limit {
			v.table.Rows = append(v.table.Rows, []string{
				c.when(r.Started), string(r.Verb), language.Number(r.People), language.Number(r.Failed), r.Reason,
			})
		}
		o := recordedOrder{Verb: r.Verb, Started: moment(r.Started), Ended: moment(r.Ended), People: r.People, Failed: r.Failed, Reason: r.Reason}
		object.Orders = append(object.Orders, o)
		v.sheet.Rows = append(v.sheet.Rows, []string{string(o.Verb), o.Started, o.Ended, strconv.Itoa(o.People), strconv.Itoa(o.Failed), o.Reason})
	}
	if hidden := len(records) - len(v.table.Rows); hidden > 0 {
		v.after = []line{{text: c.say("rest", language.Number(hidden)), colour: screen.Faint}}
	}
	v.object = object
	return v
}
