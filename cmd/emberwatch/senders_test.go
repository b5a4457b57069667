package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/sources"
)

// sender pushes deliveries to a hook, one after the other and each until it is taken, as Meta and helpdesks do. Some it
// breaks off at first, some it signs wrongly, and some it sends again because the answer was lost.
type sender struct {
	t    *testing.T
	url  string
	sign func(h http.Header, id string, body []byte)

	mu    sync.Mutex
	queue []string
}

func (s *sender) add(body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, body)
}

// next is the delivery after so many.
func (s *sender) next(n int) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < len(s.queue) {
		return s.queue[n], true
	}
	return "", false
}

// run sends until ctx ends.
func (s *sender) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		body, ok := s.next(n)
		if !ok {
			continue
		}
		switch n % 4 {
		case 1:
			s.breakOff(body)
		case 2:
			if code := s.post(ctx, fmt.Sprint("forged-", n), body, func(http.Header, string, []byte) {}); code != http.StatusUnauthorized && ctx.Err() == nil {
				s.t.Errorf("%s: an unsigned delivery was answered with %d", s.url, code)
			}
		}
		for ; ctx.Err() == nil && s.post(ctx, fmt.Sprint(n), body, s.sign) != http.StatusOK; time.Sleep(20 * time.Millisecond) {
		}
		if n%4 == 3 {
			if code := s.post(ctx, fmt.Sprint(n), body, s.sign); code != http.StatusOK && ctx.Err() == nil {
				s.t.Errorf("%s: a repeated delivery was answered with %d", s.url, code)
			}
		}
		n++
	}
}

func (s *sender) post(ctx context.Context, id, body string, sign func(http.Header, string, []byte)) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return 0
	}
	sign(req.Header, id, []byte(body))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// breakOff sends half of a delivery.
func (s *sender) breakOff(body string) {
	u, err := url.Parse(s.url)
	if err != nil {
		s.t.Error(err)
		return
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer conn.Close()
	h := http.Header{}
	s.sign(h, "broken", []byte(body))
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", u.Path, u.Host, len(body))
	h.Write(conn)
	fmt.Fprintf(conn, "\r\n%s", body[:len(body)/2])
}

// metaDelivery is what Meta pushes of a thing: a comment under a Page, or the id of one that mentions an account.
func metaDelivery(op string, x thing) string {
	if x.lookedUp() {
		return fmt.Sprintf(`{"object":"instagram","entry":[{"id":"17841400000000009","time":%d,"changes":[{"field":"mentions","value":{"comment_id":"%d","media_id":"9"}}]}]}`, x.at.Unix(), 7000+x.n)
	}
	verb := map[string]string{"create": "add", "update": "edited", "delete": "remove"}[op]
	return fmt.Sprintf(`{"object":"page","entry":[{"id":"1","time":%d,"changes":[{"field":"feed","value":{"item":"comment","verb":%q,"comment_id":%q,"message":%q,"from":{"id":"u-%s"},"created_time":%d}}]}]}`,
		x.at.Unix(), verb, x.id, x.text, x.id, x.at.Unix())
}

func signHub(secret string) func(http.Header, string, []byte) {
	return func(h http.Header, _ string, body []byte) {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
}

// deskDelivery is what a helpdesk pushes in a form of its own.
func deskDelivery(op string, x thing) string {
	return fmt.Sprintf(`{"events":[{"no":%q,"body":%q,"at":%d,"from":"u-%s","did":%q}]}`, x.id, x.text, x.at.Unix(), x.id, op)
}

func signStandard(secret string) func(http.Header, string, []byte) {
	return func(h http.Header, id string, body []byte) { _ = sources.SignStandard(h, secret, id, body, time.Now()) }
}

// scribe writes things to a file that is followed: some in two halves, some twice, some after a line that is none. Now and
// then it begins a new file.
type scribe struct {
	t    *testing.T
	path string
	n    int
}

func (s *scribe) add(op string, x thing) {
	s.t.Helper()
	s.n++
	if s.n%25 == 0 {
		if err := os.Rename(s.path, fmt.Sprint(s.path, ".", s.n)); err != nil {
			s.t.Error(err)
		}
	}
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer f.Close()
	line, _ := json.Marshal(map[string]any{"id": x.id, "op": op, "text": x.text, "created_at": x.at, "brand": "Fjellbryg"})
	line = append(line, '\n')
	switch s.n % 4 {
	case 1:
		f.Write(line[:len(line)/2])
		time.Sleep(5 * time.Millisecond)
		line = line[len(line)/2:]
	case 2:
		f.WriteString("{\"id\":\n")
	case 3:
		f.Write(line)
	}
	f.Write(line)
}
