package graphiql

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"time"
)

//go:embed index.html start.js page.css assets
var files embed.FS

const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; " +
	"connect-src 'self'; worker-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page at / and its files below.
func Handler() http.Handler {
	content := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		if r.URL.Path == "/" || r.URL.Path == "" {
			page, err := fs.ReadFile(files, "index.html")
			if err != nil {
				http.Error(w, "the page is missing", http.StatusInternalServerError)
				return
			}
			http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(page))
			return
		}
		w.Header().Set("Cache-Control", "private, max-age=3600")
		content.ServeHTTP(w, r)
	})
}
