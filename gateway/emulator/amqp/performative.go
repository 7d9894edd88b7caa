package amqp

// Performatives are the bodies of frames, as part 2 of the specification has
// them; a field that neither side here uses is skipped.

type open struct {
	ContainerID  string
	Hostname     string
	MaxFrameSize *uint32
	ChannelMax   *uint16
	IdleTimeout  uint32 // milliseconds
	outLocales   any
	inLocales    any
	offered      any
	desired      any
	Properties   Map
}

func (*open) code() uint64 { return descOpen }

func (p *open) visit(f *fields) {
	must(f, &p.ContainerID)
	may(f, &p.Hostname)
	maybe(f, &p.MaxFrameSize)
	maybe(f, &p.ChannelMax)
	may(f, &p.IdleTimeout)
	whatever(f, &p.outLocales)
	whatever(f, &p.inLocales)
	whatever(f, &p.offered)
	whatever(f, &p.desired)
	many(f, &p.Properties)
}

type begin struct {
	RemoteChannel  *uint16
	NextOutgoingID uint32
	IncomingWindow uint32
	OutgoingWindow uint32
	HandleMax      *uint32
}

func (*begin) code() uint64 { return descBegin }

func (p *begin) visit(f *fields) {
	maybe(f, &p.RemoteChannel)
	must(f, &p.NextOutgoingID)
	must(f, &p.IncomingWindow)
	must(f, &p.OutgoingWindow)
	maybe(f, &p.HandleMax)
}

type attach struct {
	Name           string
	Handle         uint32
	Receiver       bool // the role of who writes this: false is the sender
	SndSettleMode  *uint8
	RcvSettleMode  *uint8
	Source         *source
	Target         any // a target, or a coordinator
	unsettled      any
	incomplete     any
	InitialCount   *uint32
	MaxMessageSize uint64
	offered        any
	desired        any
	Properties     Map
}

func (*attach) code() uint64 { return descAttach }

func (p *attach) visit(f *fields) {
	must(f, &p.Name)
	must(f, &p.Handle)
	must(f, &p.Receiver)
	maybe(f, &p.SndSettleMode)
	maybe(f, &p.RcvSettleMode)
	nested(f, &p.Source)
	whatever(f, &p.Target)
	whatever(f, &p.unsettled)
	whatever(f, &p.incomplete)
	maybe(f, &p.InitialCount)
	may(f, &p.MaxMessageSize)
	whatever(f, &p.offered)
	whatever(f, &p.desired)
	many(f, &p.Properties)
}

type source struct {
	Address        any
	Durable        uint32
	ExpiryPolicy   Symbol
	Timeout        uint32
	Dynamic        bool
	nodeProperties any
	DistMode       Symbol
	Filter         Map
	DefaultOutcome any
	Outcomes       any
	Capabilities   any
}

func (*source) code() uint64 { return descSource }

func (p *source) visit(f *fields) {
	whatever(f, &p.Address)
	may(f, &p.Durable)
	may(f, &p.ExpiryPolicy)
	may(f, &p.Timeout)
	may(f, &p.Dynamic)
	whatever(f, &p.nodeProperties)
	may(f, &p.DistMode)
	many(f, &p.Filter)
	whatever(f, &p.DefaultOutcome)
	whatever(f, &p.Outcomes)
	whatever(f, &p.Capabilities)
}

type target struct {
	Address        any
	Durable        uint32
	ExpiryPolicy   Symbol
	Timeout        uint32
	Dynamic        bool
	nodeProperties any
	Capabilities   any
}

func (*target) code() uint64 { return descTarget }

func (p *target) visit(f *fields) {
	whatever(f, &p.Address)
	may(f, &p.Durable)
	may(f, &p.ExpiryPolicy)
	may(f, &p.Timeout)
	may(f, &p.Dynamic)
	whatever(f, &p.nodeProperties)
	whatever(f, &p.Capabilities)
}

type flow struct {
	NextIncomingID *uint32
	IncomingWindow uint32
	NextOutgoingID uint32
	OutgoingWindow uint32
	Handle         *uint32
	DeliveryCount  *uint32
	LinkCredit     *uint32
	available      any
	Drain          bool
	Echo           bool
}

func (*flow) code() uint64 { return descFlow }

func (p *flow) visit(f *fields) {
	maybe(f, &p.NextIncomingID)
	must(f, &p.IncomingWindow)
	must(f, &p.NextOutgoingID)
	must(f, &p.OutgoingWindow)
	maybe(f, &p.Handle)
	maybe(f, &p.DeliveryCount)
	maybe(f, &p.LinkCredit)
	whatever(f, &p.available)
	may(f, &p.Drain)
	may(f, &p.Echo)
}

type transfer struct {
	Handle     uint32
	DeliveryID *uint32
	Tag        []byte
	Format     *uint32
	Settled    bool
	More       bool
	rcvMode    any
	state      any
	resume     bool
	Aborted    bool
}

func (*transfer) code() uint64 { return descTransfer }

func (p *transfer) visit(f *fields) {
	must(f, &p.Handle)
	maybe(f, &p.DeliveryID)
	many(f, &p.Tag)
	maybe(f, &p.Format)
	may(f, &p.Settled)
	may(f, &p.More)
	whatever(f, &p.rcvMode)
	whatever(f, &p.state)
	may(f, &p.resume)
	may(f, &p.Aborted)
}

type disposition struct {
	Receiver bool
	First    uint32
	Last     *uint32
	Settled  bool
	State    any
}

func (*disposition) code() uint64 { return descDisposition }

func (p *disposition) visit(f *fields) {
	must(f, &p.Receiver)
	must(f, &p.First)
	maybe(f, &p.Last)
	may(f, &p.Settled)
	whatever(f, &p.State)
}

type detach struct {
	Handle uint32
	Closed bool
	Error  *Error
}

func (*detach) code() uint64 { return descDetach }

func (p *detach) visit(f *fields) {
	must(f, &p.Handle)
	may(f, &p.Closed)
	nested(f, &p.Error)
}

type end struct{ Error *Error }

func (*end) code() uint64 { return descEnd }

func (p *end) visit(f *fields) { nested(f, &p.Error) }

type shut struct{ Error *Error } // close

func (*shut) code() uint64 { return descClose }

func (p *shut) visit(f *fields) { nested(f, &p.Error) }

type mechanisms struct{ Names Array }

func (*mechanisms) code() uint64 { return descMechanisms }

func (p *mechanisms) visit(f *fields) { must(f, &p.Names) }

type saslInit struct {
	Mechanism Symbol
	Response  []byte
	Hostname  string
}

func (*saslInit) code() uint64 { return descInit }

func (p *saslInit) visit(f *fields) {
	must(f, &p.Mechanism)
	many(f, &p.Response)
	may(f, &p.Hostname)
}

type saslOutcome struct{ Code uint8 }

func (*saslOutcome) code() uint64 { return descOutcome }

func (p *saslOutcome) visit(f *fields) { must(f, &p.Code) }

// newPerformative returns what a frame's descriptor stands for, or nil.
func newPerformative(code uint64) composite {
	switch code {
	case descOpen:
		return new(open)
	case descBegin:
		return new(begin)
	case descAttach:
		return new(attach)
	case descFlow:
		return new(flow)
	case descTransfer:
		return new(transfer)
	case descDisposition:
		return new(disposition)
	case descDetach:
		return new(detach)
	case descEnd:
		return new(end)
	case descClose:
		return new(shut)
	case descMechanisms:
		return new(mechanisms)
	case descInit:
		return new(saslInit)
	case descOutcome:
		return new(saslOutcome)
	}
	return nil
}
