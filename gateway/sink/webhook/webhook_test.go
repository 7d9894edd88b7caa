package webhook_test

import (
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/sink/sinktest"
)

var everyFault = []sinktest.Fault{sinktest.Reject, sinktest.Refuse, sinktest.Busy, sinktest.Drop, sinktest.Stall}

func TestBinaryConforms(t *testing.T) {
	f := sinktest.Features{Faults: everyFault, RetryAfter: 7 * time.Second, TextExtensions: true, EmptyIsNoData: true}
	sinktest.Run(t, f, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		return start(t, `{"url":"URL/in?a=b"}`, decodeBinary)
	})
}

func TestStructuredConforms(t *testing.T) {
	f := sinktest.Features{Faults: everyFault, RetryAfter: 7 * time.Second, LooseJSON: true}
	sinktest.Run(t, f, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		return start(t, `{"url":"URL","mode":"structured"}`, decodeStructured)
	})
}

func TestBatchConforms(t *testing.T) {
	f := sinktest.Features{Faults: everyFault, RetryAfter: 7 * time.Second, LooseJSON: true}
	sinktest.Run(t, f, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		return start(t, `{"url":"URL","mode":"batch"}`, decodeBatch)
	})
}

func TestRawConforms(t *testing.T) {
	f := sinktest.Features{Faults: everyFault, RetryAfter: 7 * time.Second, DataOnly: true, EmptyIsNoData: true}
	sinktest.Run(t, f, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		return start(t, `{"url":"URL/in/{id}","mode":"raw","method":"PUT"}`, decodeRaw)
	})
}
