package notifiertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// File is an uploaded file. It is shared once Channel is set.
type File struct {
	ID, Name, Title, Alt string
	Channel, ThreadTS    string
	Data                 []byte

	length int
}

// Files returns what was uploaded, in the order in which it was announced.
func (s *Slack) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []File
	for _, f := range s.files {
		out = append(out, *f)
	}
	return out
}

func (s *Slack) uploadURL(c *call) reply {
	length, err := strconv.Atoi(c.form["length"])
	switch {
	case c.form["filename"] == "" || err != nil || length <= 0:
		return refusal("invalid_arguments")
	case units(c.form["alt_txt"]) > 1000:
		return refusal("alt_txt_too_large")
	}
	if c.form["alt_txt"] == "" {
		s.violate("%s: a picture without words for those who do not see it", c.method)
	}
	f := &File{ID: fmt.Sprintf("F%d", len(s.files)+1), Name: c.form["filename"], Alt: c.form["alt_txt"], length: length}
	s.files = append(s.files, f)
	return reply{"ok": true, "upload_url": s.server.URL + "/upload/" + f.ID, "file_id": f.ID}
}

// upload takes the bytes; its address was handed out and is not one of the methods.
func (s *Slack) upload(w http.ResponseWriter, r *http.Request) {
	in, _, err := r.FormFile("file")
	if err != nil {
		http.Error(w, "no file", http.StatusBadRequest)
		return
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.file(path.Base(r.URL.Path))
	if err != nil || f == nil || len(data) != f.length {
		http.Error(w, "not what was announced", http.StatusBadRequest)
		return
	}
	f.Data = data
	fmt.Fprintf(w, "OK - %d", len(data))
}

func (s *Slack) file(id string) *File {
	for _, f := range s.files {
		if f.ID == id {
			return f
		}
	}
	return nil
}

func (s *Slack) completeUpload(c *call) reply {
	var list []struct{ ID, Title string }
	if json.Unmarshal([]byte(c.form["files"]), &list) != nil || len(list) != 1 {
		return refusal("invalid_arguments")
	}
	f := s.file(list[0].ID)
	if f == nil || f.Data == nil {
		return refusal("file_not_found")
	}
	ch, why := s.speakable(c.form["channel_id"])
	switch {
	case why != "":
		return refusal(why)
	case ch.ID != c.form["channel_id"]: // names are not taken here
		return refusal("channel_not_found")
	case s.message(ch.ID, c.form["thread_ts"]) == nil:
		return refusal("thread_not_found")
	case f.Channel != "":
		s.violate("%s: %s is shared twice", c.method, f.ID)
	}
	f.Title, f.Channel, f.ThreadTS = list[0].Title, ch.ID, c.form["thread_ts"]
	if strings.TrimSpace(f.Title) == "" {
		s.violate("%s: a picture without a title", c.method)
	}
	return reply{"ok": true, "files": []any{map[string]any{"id": f.ID, "title": f.Title}}}
}
