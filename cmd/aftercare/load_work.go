package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

//go:embed load.graphql
var loadOperations string

// workload carries cases through their life, a step a command.
type workload struct {
	loadPlan
	*recorder
	mu     sync.Mutex
	random *rand.Rand
	opened int
	// idle are the cases that no command is under way for.
	idle []loadCase
}

// loadCase is a case of the load.
type loadCase struct {
	id   string
	step int
}

// steps are the commands of a case after it was received, and what each brings besides the case's id.
var steps = []struct { //nolint:gochecknoglobals // a table
	operation string
	input     map[string]any
}{
	{"Acknowledge", nil},
	{"Assign", map[string]any{"team": "load", "agent": "agent-7"}},
	{"Respond", map[string]any{"agent": "agent-7", "message": "We look into it."}},
	{"Wait", map[string]any{"reason": "customer"}},
	{"Resume", nil},
	{"Resolve", map[string]any{"resolution": "repaired", "agent": "agent-7"}},
	{"Rate", map[string]any{"score": 4}},
	{"Close", map[string]any{"outcome": "done"}},
}

// next chooses a case to go on with; one without an id is to be received.
func (w *workload) next() (c loadCase, number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// As many are opened as closed, on average, and some hundred stay open.
	if len(w.idle) < 200 || w.random.IntN(len(steps)+1) == 0 {
		w.opened++
		return loadCase{}, w.opened
	}
	i := w.random.IntN(len(w.idle))
	c = w.idle[i]
	w.idle[i] = w.idle[len(w.idle)-1]
	w.idle = w.idle[:len(w.idle)-1]
	return c, 0
}

func (w *workload) again(c loadCase) {
	if c.step == len(steps) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, c)
}

// changed is the answer to a command.
type changed struct {
	Changed struct {
		Typename string `json:"__typename"`
		Code     string
		ID       string
		Position string
		Revision int64
	}
}

// seen is the answer to a query for a case.
type seen struct {
	Ticket *struct{ Revision int64 }
}

// command carries out one step of a case and waits until a query shows it.
func (w *workload) command(ctx context.Context, due time.Time) {
	c, number := w.next()
	operation := "Receive"
	input := map[string]any{"kind": "load", "channel": "phone", "priority": "p2", "title": fmt.Sprintf("load %d", number)}
	if c.id != "" {
		step := steps[c.step]
		operation, input = step.operation, map[string]any{"ticketId": c.id}
		maps.Copy(input, step.input)
		c.step++
	}
	var done changed
	if err := w.ask(ctx, operation, map[string]any{"input": input}, &done); err != nil {
		w.ended(failureOf(err))
		return
	}
	if done.Changed.Typename != "TicketChanged" {
		w.ended(done.Changed.Code)
		return
	}
	answered := w.now()
	c.id = done.Changed.ID
	var shows seen
	err := w.ask(ctx, "Seen", map[string]any{"id": c.id, "at": done.Changed.Position}, &shows)
	shown := w.now()
	switch {
	case err != nil:
		w.ended(failureOf(err))
		return
	case shows.Ticket == nil || shows.Ticket.Revision < done.Changed.Revision:
		w.ended("not visible in time")
		return
	}
	w.again(c)
	w.into(&w.recorder.command, answered.Sub(due))
	w.into(&w.visible, shown.Sub(answered))
	w.into(&w.whole, shown.Sub(due))
	w.ended("")
}

// read asks for a page of cases with their number, and for a statistic.
func (w *workload) read(ctx context.Context, due time.Time) {
	if err := w.ask(ctx, "Page", nil, &struct{}{}); err != nil {
		w.ended(failureOf(err))
		return
	}
	w.into(&w.recorder.read, w.now().Sub(due))
	w.ended("")
}

// answerError is a GraphQL error.
type answerError struct{ code string }

func (e *answerError) Error() string { return e.code }

func failureOf(err error) string {
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answer.code
	}
	return "no answer"
}

// ask sends an operation and reads its data.
func (w *workload) ask(ctx context.Context, operation string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": loadOperations, "operationName": operation, "variables": variables})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.api, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	answer := struct {
		Data   any
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}{Data: data}
	if err := json.Unmarshal(text, &answer); err != nil {
		return &answerError{fmt.Sprintf("HTTP %d", response.StatusCode)}
	}
	if len(answer.Errors) > 0 {
		first := answer.Errors[0]
		if first.Extensions.Code != "" {
			return &answerError{first.Extensions.Code}
		}
		return &answerError{first.Message}
	}
	return nil
}
