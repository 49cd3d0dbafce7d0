package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"aftercare/domain"
	"aftercare/graph/locale"
)

// edge holds requests to GraphQL over HTTP before the library sees them: the library would read bodies of any size and echo
// one that is not JSON. It also notes the language to answer in, and makes the answers what the specification asks for.
func edge(limit int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		words := locale.Accept(r.Header.Get("Accept-Language"))
		r = r.WithContext(locale.With(r.Context(), words))
		w.Header().Set("Content-Language", words.Tag())
		w.Header().Add("Vary", "Accept, Accept-Language")
		if r.Header.Get("Upgrade") != "" {
			if foreign(r) {
				refuse(w, words, http.StatusForbidden, "request.origin")
				return
			}
			if !speaks(r) {
				refuse(w, words, http.StatusBadRequest, "request.subprotocol")
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, words, http.StatusMethodNotAllowed, "request.method")
			return
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			refuse(w, words, http.StatusUnsupportedMediaType, "request.content-type")
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			refuse(w, words, http.StatusRequestEntityTooLarge, "request.too-large")
			return
		}
		if err != nil {
			refuse(w, words, http.StatusBadRequest, "request.incomplete")
			return
		}
		var request struct {
			Query         string                     `json:"query"`
			OperationName string                     `json:"operationName"`
			Variables     map[string]json.RawMessage `json:"variables"`
			Extensions    map[string]json.RawMessage `json:"extensions"`
		}
		if json.Unmarshal(body, &request) != nil || request.Query == "" {
			refuse(w, words, http.StatusBadRequest, "request.malformed")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			w = &answer{ResponseWriter: w}
		}
		next.ServeHTTP(w, r)
	})
}

// foreign reports whether a page of another origin opens a WebSocket, which browsers let it do.
func foreign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false // not a browser
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

// answer makes of the library's answers what GraphQL over HTTP asks for: application/json is 200 also when the document is
// refused, and what is not 200 has no "data".
type answer struct {
	http.ResponseWriter
	failed bool
}

// WriteHeader changes 422 to 200 for application/json.
func (a *answer) WriteHeader(status int) {
	if status == http.StatusUnprocessableEntity && strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") {
		status = http.StatusOK
	}
	a.failed = status >= http.StatusBadRequest
	a.ResponseWriter.WriteHeader(status)
}

// Write leaves out the "data" of what failed. The library writes an answer in one piece.
func (a *answer) Write(b []byte) (int, error) {
	if !a.failed {
		return a.ResponseWriter.Write(b)
	}
	_, err := a.ResponseWriter.Write(bytes.Replace(b, []byte(`,"data":null`), nil, 1))
	return len(b), err
}

func refuse(w http.ResponseWriter, words locale.Words, status int, code string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	type problem struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	}
	//nolint:errchkjson // strings always marshal
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []problem{{
		Message: words.Of(domain.Refuse(domain.Invalid, code)), Extensions: map[string]any{"code": code},
	}}})
}
