package youtube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

// loopback lets a client fetch from test servers.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func source(t testing.TB, address string, videos []string) *Source {
	t.Helper()
	client := sources.NewClient(sources.ClientOptions{Allow: loopback, Retries: -1})
	t.Cleanup(client.Close)
	s, err := New(Options{Name: "yt", Key: "secret-key", Channel: "UCnordhavn0000000000", Videos: videos, Brand: "nordhavn", URL: address + "/", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stage stands for the API: threads, the newest first, two to a page, each with one of its answers. What is asked is
// noted.
type stage struct {
	URL string

	mu      sync.Mutex
	threads []listed
	refuses map[string]string // by video or by what is asked: the reason of a 403, or of a 404
	status  map[string]int    // by what is asked: the status instead
	asked   []string
}

type listed struct {
	id, text string
	at       time.Time
	answers  int
	broken   bool
}

func newStage(t *testing.T) *stage {
	s := &stage{refuses: map[string]string{}, status: map[string]int{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// put writes a thread, or changes one where it is.
func (s *stage) put(id, text string, answers int) {
	s.add(listed{id: id, text: "text " + text, at: now.Add(-time.Hour), answers: answers})
}

func (s *stage) add(p listed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.threads, func(old listed) bool { return old.id == p.id }); i >= 0 {
		s.threads[i] = p
		return
	}
	s.threads = slices.Insert(s.threads, 0, p)
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _ := strconv.Atoi(r.FormValue("pageToken"))
	what := fmt.Sprintf("threads/%d", at)
	switch {
	case r.URL.Path == "/channels":
		what = "channels"
	case r.FormValue("id") != "":
		what = "again/" + r.FormValue("id")
	case r.URL.Path == "/comments":
		what = fmt.Sprintf("answers/%s/%d", r.FormValue("parentId"), at)
	}
	s.asked = append(s.asked, what)
	refused := s.refuses[what] + s.refuses[r.FormValue("videoId")]
	switch {
	case s.status[what] != 0:
		w.WriteHeader(s.status[what])
	case r.Header.Get("X-Goog-Api-Key") != "secret-key" || r.FormValue("part") == "":
		w.WriteHeader(http.StatusBadRequest)
	case refused != "":
		w.WriteHeader(map[bool]int{true: 404, false: 403}[strings.HasSuffix(refused, "NotFound")])
		fmt.Fprintf(w, `{"error":{"code":403,"message":"x","errors":[{"message":"x","domain":"youtube.quota","reason":%q}]}}`, refused)
	case what == "channels":
		fmt.Fprint(w, `{"items":[{"id":"UC","statistics":{"subscriberCount":"48200","hiddenSubscriberCount":false}}]}`)
	default:
		json.NewEncoder(w).Encode(s.list(what, r.FormValue("parentId"), at))
	}
}

// list is a page of threads, of the answers to one, or the comments that were asked for by their ids.
func (s *stage) list(what, thread string, at int) map[string]any {
	var items []any
	for _, p := range s.threads {
		ids, again := strings.CutPrefix(what, "again/")
		switch {
		case again && slices.Contains(strings.Split(ids, ","), p.id):
			items = append(items, p.comment(p.id, ""))
		case strings.HasPrefix(what, "answers/") && p.id == thread:
			for n := range p.answers {
				items = append(items, p.comment(fmt.Sprintf("%s.%d", p.id, n+1), p.id))
			}
		case strings.HasPrefix(what, "threads/"):
			items = append(items, p.thread())
		}
	}
	page := map[string]any{"items": append([]any{}, items[min(at, len(items)):min(at+2, len(items))]...)}
	if at+2 < len(items) {
		page["nextPageToken"] = strconv.Itoa(at + 2)
	}
	return page
}

func (p listed) comment(id, parent string) map[string]any {
	snippet := map[string]any{"textDisplay": p.text, "publishedAt": p.at.Format(time.RFC3339), "authorDisplayName": "@" + id}
	if parent != "" {
		snippet["parentId"] = parent
	}
	return map[string]any{"id": id, "snippet": snippet}
}

func (p listed) thread() any {
	if p.broken {
		return map[string]any{"snippet": map[string]any{"topLevelComment": 7}}
	}
	thread := map[string]any{"id": p.id, "snippet": map[string]any{"videoId": "nordvid0001", "topLevelComment": p.comment(p.id, ""), "totalReplyCount": p.answers}}
	if p.answers > 0 {
		thread["replies"] = map[string]any{"comments": []any{p.comment(p.id+".1", p.id)}}
	}
	return thread
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		api := newStage(t)
		client := sources.NewClient(sources.ClientOptions{Allow: loopback})
		t.Cleanup(client.Close)
		put := func(m sources.Mention) { api.add(listed{id: m.ID, text: m.Text, at: m.CreatedAt}) }
		return sourcetest.Harness{
			Source: func(t *testing.T) sources.Source {
				s, err := New(Options{Name: "yt", Key: "secret-key", Channel: "UCnordhavn0000000000", URL: api.URL, Client: client})
				if err != nil {
					t.Fatal(err)
				}
				s.opt.Every = 5 * time.Millisecond
				s.opt.Client = client // a test polls more often than a day's quota allows
				return closing{s, client}
			},
			Put: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					put(m)
				}
				return nil
			},
			PutBad: func(_ context.Context, ms ...sources.Mention) error {
				for i, m := range ms {
					api.add(listed{id: fmt.Sprint("broken ", i), broken: true})
					put(m)
				}
				return nil
			},
		}
	})
}

// closing ends the idle connections of the client with each run, so that only what the source started is
// looked for.
type closing struct {
	*Source
	client *sources.Client
}

func (c closing) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	defer c.client.Close()
	return c.Source.Run(ctx, from, emit)
}
