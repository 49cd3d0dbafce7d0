package logtest_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"aftercare/commands"
	"aftercare/commands/logtest"
	"aftercare/domain/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(*testing.T) logtest.Subject {
		now := func() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }
		memory := logtest.NewMemory(logtest.Codec(), logtest.Sealer{}, now)
		return logtest.Subject{
			Open:  func(_ *testing.T, c *codec.Codec) commands.Log { return memory.With(c) },
			Limit: 1 << 20,
		}
	})
}
