package seal_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"aftercare/domain/seal"
)

func TestPrintingDoesNotGiveATextAway(t *testing.T) {
	t.Parallel()
	event := struct{ Title seal.Text }{seal.New("c-1", "secret")}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "event", event, "text", event.Title)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "event", event, "text", event.Title)
	fmt.Fprintf(&log, "%v %+v %#v %s %q %x", event, event, event, event.Title, event.Title, event.Title)
	fmt.Fprint(&log, &event)
	for _, leak := range []string{"secret", fmt.Sprintf("%x", "secret")} {
		if strings.Contains(log.String(), leak) {
			t.Errorf("%s is in\n%s", leak, log.String())
		}
	}
}

func TestATextTellsWhatItIs(t *testing.T) {
	t.Parallel()
	v := &vault{}
	text := stored(t, sealed(t, v, seal.New("c-1", "secret")))
	v.forgotten = map[seal.Subject]bool{"c-1": true}
	forgotten, err := seal.Open(t.Context(), v, text, place)
	if err != nil {
		t.Fatal(err)
	}
	for want, text := range map[string]seal.Text{
		"(no text)": {}, "(text of c-1)": seal.New("c-1", "secret"), "(sealed text of c-1)": text, "(forgotten text of c-1)": forgotten,
	} {
		if got := fmt.Sprint(text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
