package bluesky

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"emberwatch/sources"
)

const (
	maxFrame  = 1 << 20 // bytes; a post has at most some thousand
	pingEvery = 30 * time.Second
	pongTime  = 20 * time.Second
	dialTime  = 20 * time.Second
)

// listen connects, reads, and hands over what was read every so often.
func (s *Source) listen(ctx context.Context, g *gathered) error {
	conn, err := s.dial(ctx, s.address(g.at))
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	ctx, stop := context.WithCancelCause(ctx)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer stop(nil) // before the wait
	events := make(chan event, maxBatch)
	parts.Go(func() { stop(s.read(ctx, conn, events)) })
	parts.Go(func() { stop(s.keepAlive(ctx, conn)) })
	if s.opt.Hot != nil {
		parts.Go(func() { s.lookAgain(ctx, g.emit) })
	}

	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(g.remains(ctx, events), ended(ctx))
		case e := <-events:
			if g.add(e); len(g.events) < maxBatch {
				continue
			}
		case <-tick.C:
		}
		before := g.told
		if err := g.handOver(ctx); err != nil || s.opt.Client.IsOnce() && g.told.After(before) {
			return err
		}
	}
}

// ended is why a connection ended, nil if the source was told to stop.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (s *Source) dial(ctx context.Context, address string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Client.Pace(dialTime))
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: s.opt.Client.Stream()})
	switch {
	case err == nil:
		conn.SetReadLimit(maxFrame)
		return conn, nil
	case resp != nil && resp.StatusCode == http.StatusOK:
		return nil, fmt.Errorf("connect: %w, which is no websocket", sources.AnswerError(http.MethodGet, address, resp))
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("connect: %w", sources.AnswerError(http.MethodGet, address, resp))
	}
	return nil, fmt.Errorf("connect: %w", sources.SafeError(http.MethodGet, address, err))
}

// read passes on the events of a connection until it ends. It drops what Keep does not want, so that little of
// the network goes any further.
func (s *Source) read(ctx context.Context, conn *websocket.Conn, to chan<- event) error {
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			return s.lost(err)
		}
		e, err := decode(frame)
		if refused, ok := errors.AsType[*refusedError](err); ok {
			return refused
		}
		if err != nil {
			e = event{bad: true}
		}
		s.sift(&e)
		select {
		case to <- e:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lost says why a connection broke, in words that hold neither an address nor what the server said.
func (s *Source) lost(err error) error {
	if code := websocket.CloseStatus(err); code != -1 {
		return fmt.Errorf("the server has closed the connection with code %d", int(code))
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		err = sources.ErrTooLarge
	}
	return sources.SafeError("READ", s.opt.URL, err)
}

// keepAlive notices a connection that is dead, however quiet a server may be.
func (s *Source) keepAlive(ctx context.Context, conn *websocket.Conn) error {
	tick := time.NewTicker(s.opt.Client.Pace(pingEvery))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		pong, cancel := context.WithTimeout(ctx, s.opt.Client.Pace(pongTime))
		err := conn.Ping(pong)
		cancel()
		if err != nil && ctx.Err() == nil {
			return errors.New("the server does not answer pings")
		}
	}
}
