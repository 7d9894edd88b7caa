package amqp

// Outcome is what became of a delivery: [Accepted], [Rejected], [Released] or [Modified].
type Outcome interface {
	outcome()
	composite
}

// Accepted says that the receiver has taken the message.
type Accepted struct{}

// Released says that the message may go to any receiver, as if it had never been sent.
type Released struct{}

// Rejected says that the message is invalid, and why.
type Rejected struct{ Error *Error }

// Modified says that the message may be sent again, changed.
type Modified struct {
	DeliveryFailed    bool
	UndeliverableHere bool
	Annotations       Map
}

// Reject returns the outcome Rejected with its reason.
func Reject(condition Symbol, description string) Rejected {
	return Rejected{&Error{Condition: condition, Description: description}}
}

func (Accepted) outcome() {}
func (Released) outcome() {}
func (Rejected) outcome() {}
func (Modified) outcome() {}

func (Accepted) code() uint64 { return descAccepted }
func (Released) code() uint64 { return descReleased }
func (Rejected) code() uint64 { return descRejected }
func (Modified) code() uint64 { return descModified }

func (Accepted) visit(*fields)     {}
func (Released) visit(*fields)     {}
func (o Rejected) visit(f *fields) { (&rejected{o}).visit(f) }
func (o Modified) visit(f *fields) { (&modified{o}).visit(f) }

// rejected and modified are what can be decoded into.
type (
	rejected struct{ Rejected }
	modified struct{ Modified }
)

func (o *rejected) visit(f *fields) { nested(f, &o.Error) }

func (o *modified) visit(f *fields) {
	may(f, &o.DeliveryFailed)
	may(f, &o.UndeliverableHere)
	many(f, &o.Annotations)
}

// decodeOutcome returns nil for a state that is no outcome: received, or one
// that only other specifications know.
func decodeOutcome(v any) (Outcome, error) {
	d, ok := v.(Described)
	if !ok {
		if v == nil {
			return nil, nil
		}
		return nil, malformed("a delivery state that is a %T", v)
	}
	switch code, _ := descriptor(d.Descriptor); code {
	case descAccepted:
		return Accepted{}, nil
	case descReleased:
		return Released{}, nil
	case descRejected:
		var o rejected
		err := decodeComposite(&o, v)
		return o.Rejected, err
	case descModified:
		var o modified
		err := decodeComposite(&o, v)
		return o.Modified, err
	}
	return nil, nil
}
