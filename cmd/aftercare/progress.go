package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"aftercare/commands/importer"
)

// terminal reports whether somebody watches.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// lineEvery is how often progress is told where nobody watches.
const lineEvery = 5 * time.Second

// meter shows progress until stop is called: a bar on a terminal, else a line now and then. say returns how much of how much is
// done (0 when that is not known) and in what words.
func meter(w io.Writer, title string, say func() (done, total int64, words string)) (stop func()) {
	watched := terminal(w)
	every := lineEvery
	var bar *progressbar.ProgressBar
	if watched {
		every = 100 * time.Millisecond
		bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(title),
			progressbar.OptionFullWidth(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(every), progressbar.OptionSetElapsedTime(true))
	}
	show := func() {
		done, total, words := say()
		if !watched {
			if total > 0 {
				fmt.Fprintf(w, "%s: %d %%, %s\n", title, min(100*done/total, 100), words)
			} else {
				fmt.Fprintf(w, "%s: %s\n", title, words)
			}
			return
		}
		if total > 0 {
			bar.ChangeMax64(total)
			_ = bar.Set64(min(done, total))
		}
		bar.Describe(title + ": " + words)
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				show()
			case <-quit:
				if watched {
					_ = bar.Finish()
				}
				return
			}
		}
	}()
	return func() { close(quit); <-ended }
}

// bar shows how far an import is.
func (j importJob) bar(m *importer.Mapping, p *importer.Progress) (stop func()) {
	return meter(j.Err, m.Name, func() (int64, int64, string) {
		words := fmt.Sprintf("%d rows, %d cases, %d facts, %d refused", p.Rows.Load(), p.Cases.Load(), p.Facts.Load(), p.Refusals.Load())
		if found := p.Found.Load(); found > 0 {
			return p.Cases.Load(), found, words
		}
		if m.Rows == "event" {
			return 0, 0, "reading, " + words // cases are recorded when all rows are read
		}
		return p.Bytes.Load(), j.total, words
	})
}
