package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// api is a program that serves the API.
type api struct {
	*process
	url string
}

// answer is what the API said.
type answer struct {
	status int
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Extensions struct {
			Code      string
			Retryable bool
		}
	}
}

// ask sends an operation with its variables.
func (a api) ask(operation string, variables map[string]any) answer {
	a.tb.Helper()
	body, err := json.Marshal(map[string]any{"query": operation, "variables": variables})
	if err != nil {
		a.tb.Fatal(err)
	}
	request, err := http.NewRequestWithContext(a.tb.Context(), http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		a.tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.tb.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.tb.Fatal(err)
	}
	answered := answer{status: response.StatusCode}
	if err := json.Unmarshal(text, &answered); err != nil {
		a.tb.Fatalf("the API answered %d %q: %v", response.StatusCode, text, err)
	}
	return answered
}

// data sends an operation and decodes the data of the answer, which must be without errors.
func data[T any](tb testing.TB, a api, operation string, variables map[string]any) T {
	tb.Helper()
	answered := a.ask(operation, variables)
	if len(answered.Errors) > 0 {
		tb.Fatalf("%s: %+v", operation, answered.Errors)
	}
	var into T
	if err := json.Unmarshal(answered.Data, &into); err != nil {
		tb.Fatalf("%s: %v: %s", operation, err, answered.Data)
	}
	return into
}

// idOf returns the id in the first field of an answer, "" when there is none.
func idOf(answered json.RawMessage) string {
	var fields map[string]*struct{ ID string }
	if json.Unmarshal(answered, &fields) != nil {
		return ""
	}
	for _, f := range fields {
		if f != nil {
			return f.ID
		}
	}
	return ""
}
