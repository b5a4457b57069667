package mastodon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"emberwatch/sources"
)

const maxEvent = 1 << 20 // bytes; a post with everything around it has some thousand

// errSilent: a stream that lost even its heartbeat.
var errSilent = errors.New("the stream has gone silent")

// listen opens the streams of the hashtags and the account and follows them. The first that ends stops the run with
// its error.
func (r *run) listen(ctx context.Context, streams *sync.WaitGroup, stop context.CancelCauseFunc) error {
	base, err := r.streaming(ctx)
	if err != nil {
		return err
	}
	paths := []string{"/api/v1/streaming/user/notification"}
	for _, tag := range r.opt.Hashtags {
		paths = append(paths, "/api/v1/streaming/hashtag?tag="+url.QueryEscape(tag))
	}
	header := r.header()
	header.Set("Accept", "text/event-stream")
	for _, path := range paths {
		resp, err := r.opt.Client.Open(ctx, base+path, header)
		if sources.Gone(err) {
			continue // a server without streams; polls do
		}
		if err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		streams.Go(func() {
			if err := r.follow(ctx, resp); ctx.Err() == nil {
				stop(fmt.Errorf("stream: %w", err))
			}
		})
	}
	return nil
}

// streaming asks where the streams are: large servers have a host of their own for them.
func (s *Source) streaming(ctx context.Context) (string, error) {
	resp, err := s.get(ctx, "/api/v2/instance", nil)
	if sources.Gone(err) {
		return s.opt.URL, nil
	}
	if err != nil {
		return "", err
	}
	var instance struct {
		Configuration struct {
			URLs struct {
				Streaming sources.Loose `json:"streaming"`
			} `json:"urls"`
		} `json:"configuration"`
	}
	if err := sources.DecodeJSON(resp.Body, &instance); err != nil {
		return "", fmt.Errorf("parse: %w", err)
	}
	base := strings.TrimRight(instance.Configuration.URLs.Streaming.String(), "/")
	switch scheme, rest, _ := strings.Cut(base, "://"); scheme {
	case "wss", "https":
		return "https://" + rest, nil
	}
	return s.opt.URL, nil // the token goes nowhere in clear where it did not before
}

// follow reads one stream until it ends, which it should not.
func (r *run) follow(ctx context.Context, stream *http.Response) error {
	defer stream.Body.Close()
	if kind := stream.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return errors.New("the answer is no stream of events")
	}
	var silent atomic.Bool
	silence := time.AfterFunc(r.idle, func() {
		silent.Store(true)
		stream.Body.Close() // ends the reading
	})
	defer silence.Stop()
	err := events(&watched{stream.Body, silence, r.idle}, func(event, data string) error {
		return r.took(ctx, event, data)
	})
	if silent.Load() {
		return errSilent
	}
	return err
}

// took hands over what an event says.
func (r *run) took(ctx context.Context, event, data string) error {
	m, err := r.decodeEvent(event, data, time.Now())
	switch {
	case errors.Is(err, errOther):
		return nil
	case err != nil:
		return r.handOver(ctx, nil, sources.Rejects{Count: 1, Why: err.Error()}, nil)
	}
	return r.handOver(ctx, []sources.Mention{m}, sources.Rejects{}, nil)
}

func (s *Source) decodeEvent(event, data string, now time.Time) (m sources.Mention, err error) {
	switch event {
	case "update", "status.update":
		if _, m, err = s.decodeStatus([]byte(data), now); event == "status.update" {
			m.Op = sources.Update
		}
	case "notification":
		_, m, err = s.decodeNotice([]byte(data), now)
	case "delete":
		m, err = s.deletion(strings.Trim(strings.TrimSpace(data), `"`), now)
	default:
		err = errOther
	}
	return m, err
}

// watched puts off the moment at which a stream counts as silent.
type watched struct {
	io.Reader
	silence *time.Timer
	idle    time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if n > 0 {
		w.silence.Reset(w.idle)
	}
	return n, err
}

// events reads server-sent events and calls fn with the name and data of each. One that is cut off by the end of
// the stream is not told. It always returns an error: a stream does not end.
func events(r io.Reader, fn func(event, data string) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	var event string
	var data []byte
	for {
		line, err := readLine(lines, maxEvent)
		if err != nil {
			return err
		}
		switch name, value, _ := strings.Cut(line, ":"); {
		case line == "":
			if data != nil {
				if err := fn(event, string(data)); err != nil {
					return err
				}
			}
			event, data = "", nil
		case name == "event":
			event = strings.TrimPrefix(value, " ")
		case name == "data":
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, strings.TrimPrefix(value, " ")...)
			if data == nil {
				data = []byte{}
			}
			if len(data) > maxEvent {
				return fmt.Errorf("stream: event: %w", sources.ErrTooLarge)
			}
		}
	}
}

// readLine reads a line of bounded length without its end.
func readLine(r *bufio.Reader, limit int) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > limit {
			return "", fmt.Errorf("line: %w", sources.ErrTooLarge)
		}
		switch {
		case err == nil:
			return strings.TrimRight(string(line), "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return "", errors.New("the server has ended it")
		default:
			return "", err
		}
	}
}
