package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"emberwatch/notifier"
)

//go:embed templates/*.html static/*
var files embed.FS

// asset is an embedded file under a name that changes with its content, so that browsers may keep it.
type asset struct {
	name  string
	mime  string
	bytes []byte
}

// loadAssets reads the embedded static files.
func loadAssets() map[string]asset {
	assets := map[string]asset{}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		b, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum, ext := sha256.Sum256(b), path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "-" + hex.EncodeToString(sum[:5]) + ext
		assets[e.Name()] = asset{name, mime.TypeByExtension(ext), b}
	}
	return assets
}

// static answers with an asset. They hold nothing that needs a login.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	for _, a := range s.assets {
		if a.name == r.PathValue("name") {
			w.Header().Set("Content-Type", a.mime)
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			_, _ = w.Write(a.bytes)
			return
		}
	}
	s.fail(w, r, refuseSaying(http.StatusNotFound, "problem.file"))
}

// parsePages reads each page's template together with the layout around it, in each language, under its code and name.
func parsePages(assets map[string]asset, ls *notifier.Languages) map[string]*template.Template {
	pages := map[string]*template.Template{}
	for _, code := range ls.Codes() {
		for name, t := range parsePagesIn(assets, ls.In(code)) {
			pages[code+"/"+name] = t
		}
	}
	return pages
}

func parsePagesIn(assets map[string]asset, l *notifier.Language) map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"asset": func(name string) (string, error) {
			a, ok := assets[name]
			if !ok {
				return "", fmt.Errorf("no asset %q", name)
			}
			return "/static/" + a.name, nil
		},
		"say": l.Say, "count": l.Count, "code": l.Code,
		"thousands": func(n int) string { return l.Number(float64(n)) },
	}).ParseFS(files, "templates/layout.html", "templates/parts.html"))
	pages := map[string]*template.Template{}
	for _, name := range []string{"overview.html", "incident.html", "login.html", "wait.html", "problem.html"} {
		pages[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "templates/"+name))
	}
	return pages
}

// frame is what the layout shows around every page.
type frame struct {
	Title   string
	Who     string // of whom the session is; empty without one
	Refresh int    // seconds after which the page reloads; 0: never
}

// problemView is the page of an error.
type problemView struct {
	frame
	Text string
}

// render answers with a page. Nothing has been written when its template fails.
func (s *Server) render(w http.ResponseWriter, v voice, code int, name string, data any) {
	var b bytes.Buffer
	if err := s.pages[v.Code()+"/"+name].ExecuteTemplate(&b, "layout.html", data); err != nil {
		s.c.Logger.Error("page cannot be rendered", "template", name, "error", err)
		http.Error(w, "this page cannot be shown; the log of the daemon says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // an error means that nobody is listening any more
}
