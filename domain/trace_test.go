package domain_test

import (
	"testing"

	"aftercare/domain"
)

func TestACommandIsSampledByTheFlagOfItsTraceparent(t *testing.T) {
	t.Parallel()
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"
	for traceparent, want := range map[string]bool{
		trace + "01": true, trace + "03": true, trace + "ff": true, trace + "00": false, trace + "02": false,
		trace: false, trace + "0": false, "": false, "01": false,
	} {
		if got := (domain.Metadata{Traceparent: traceparent}).Sampled(); got != want {
			t.Errorf("%q is sampled: %t", traceparent, got)
		}
	}
}
