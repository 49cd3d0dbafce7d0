package storage_test

import (
	"os"
	"strconv"
	"testing"

	"aftercare/deploy/eventnode/crashtest"
)

// TestPowerLoss crashes stores on disks that fail in every way, again and again, and checks each time that all that was
// acknowledged or seen is there, once and where it was, and nothing that was answered as not stored.
// AFTERCARE_TEST_POWERLOSS says how many stores, of some twenty crashes each; defaults to 24.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	worlds := 24
	if testing.Short() {
		worlds = 10
	}
	if n, err := strconv.Atoi(os.Getenv("AFTERCARE_TEST_POWERLOSS")); err == nil {
		worlds = n
	}
	for seed := range uint64(worlds) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			crashAndCheck(t, seed, 15)
		})
	}
}

func crashAndCheck(tb testing.TB, seed uint64, lives int) {
	tb.Helper()
	w := newWorld(tb, seed)
	for life := range lives {
		w.note("seed %d, life %d", seed, life)
		w.start()
		if w.rng.IntN(3) == 0 {
			w.disk.Break(crashtest.Odds{
				Write: 0.3 * w.rng.Float64(), Short: 0.3 * w.rng.Float64(), Sync: 0.5 * w.rng.Float64(),
				Truncate: 0.8 * w.rng.Float64(), Evict: w.rng.Float64(),
			})
		}
		for range w.rng.IntN(5) {
			w.send()
			w.collect()
		}
		w.disk.CutPowerAfter(1 + w.rng.IntN(20))
		for range 1 + w.rng.IntN(5) {
			w.send()
		}
		w.end()
		switch w.rng.IntN(3) {
		case 0:
			w.disk.Kill()
		case 1:
			w.disk.Kill()
			w.disk.LoseWrites()
		default:
			w.disk.PowerLoss()
		}
		w.changeIndex()
		if w.rng.IntN(4) == 0 { // and again while it starts
			w.disk.CutPowerAfter(1 + w.rng.IntN(6))
			w.startsOrNot()
			w.disk.PowerLoss()
		}
	}
	w.start()
	w.end()
}
