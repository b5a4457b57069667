package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	maxRedirects  = 5
	maxNap        = 5 * time.Second // longest Retry-After that is slept within a request
	maxRetryAfter = 24 * time.Hour  // longest that is passed on
)

// ClientOptions configures a [Client]. The zero value is good.
type ClientOptions struct {
	Allow     []netip.Prefix // addresses besides public ones that may be fetched
	UserAgent string
	MaxBody   int64         // of an answer, unpacked; 0: 8 MiB
	Timeout   time.Duration // of one try; 0: 20 s
	Overall   time.Duration // of a request with its retries; 0: 1 min
	Retries   int           // after the first try; 0: 2, negative: none
	Pace      Pace          // of every wait, and of Timeout

	// Transport replaces the guarded one. For tests: it checks no address.
	Transport http.RoundTripper
}

func (o ClientOptions) withDefaults() ClientOptions {
	if o.UserAgent == "" {
		o.UserAgent = "emberwatch"
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 8 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Overall <= 0 {
		o.Overall = time.Minute
	}
	if o.Retries == 0 {
		o.Retries = 2
	}
	o.Retries = max(o.Retries, 0)
	o.Timeout = o.Pace.Of(o.Timeout)
	return o
}

// Client fetches what sources need from addresses that others may choose. It connects to public addresses
// only, bounds time, redirects and size, retries what is worth it, and tells nobody the path or query of an
// address: they may hold secrets. It is safe for concurrent use and uses no proxy.
type Client struct {
	opt     ClientOptions
	plain   *http.Client
	retries *retryablehttp.Client
	manners *manners // nil: none, see For
	once    bool     // see Once
}

// NewClient makes a client.
func NewClient(opt ClientOptions) *Client {
	opt = opt.withDefaults()
	plain := &http.Client{CheckRedirect: redirect, Transport: opt.Transport}
	if plain.Transport == nil {
		plain.Transport = guarded(opt)
	}
	perTry := *plain
	perTry.Timeout = opt.Timeout
	return &Client{opt: opt, plain: plain, retries: &retryablehttp.Client{
		HTTPClient:   &perTry,
		Logger:       nil, // it would log addresses
		RetryWaitMin: opt.Pace.Of(500 * time.Millisecond),
		RetryWaitMax: opt.Pace.Of(10 * time.Second),
		RetryMax:     opt.Retries,
		CheckRetry:   checkRetry,
		Backoff:      backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}}
}

// guarded is a transport that connects to permitted addresses only.
func guarded(opt ClientOptions) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: guard{opt.Allow}.control}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  opt.Timeout,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Pace is how long a wait takes that a source makes by itself; see [Pace].
func (c *Client) Pace(d time.Duration) time.Duration { return c.opt.Pace.Of(d) }

// Once is the client of a look at everything that a source reads, such as a check of the configuration makes: [Client.Poll]
// polls once, nothing rests between two requests, and of one that fails nothing is concluded for the others.
func (c *Client) Once() *Client {
	own := *c
	own.once, own.manners = true, nil
	return &own
}

// IsOnce reports whether [Client.Once] made it. Who listens ends with the first batch then.
func (c *Client) IsOnce() bool { return c.once }

// Close ends idle connections. The client stays usable.
func (c *Client) Close() { c.plain.CloseIdleConnections() }

// Stream returns a client with the same guard and no time limit, for streams and websockets. What it returns
// as errors holds addresses: pass them through [SafeError].
func (c *Client) Stream() *http.Client {
	stream := *c.plain // not ours to share: its fields can be set
	return &stream
}

// Open begins a GET whose answer is read as it comes, without a time limit. Only answers of status 200 are
// returned; the caller closes their body. What reading it returns as errors holds no address.
func (c *Client) Open(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	if _, err := c.manners.admit(time.Now()); err != nil {
		return nil, notAsked(http.MethodGet, address, err)
	}
	resp, err := c.open(ctx, address, header)
	c.manners.settle(time.Now(), nil, err)
	return resp, err
}

func (c *Client) open(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	req, err := c.request(ctx, Request{Method: http.MethodGet, URL: address, Header: header}, true)
	if err != nil {
		return nil, err
	}
	resp, err := c.plain.Do(req.Request)
	if err != nil {
		return nil, SafeError(http.MethodGet, address, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, AnswerError(http.MethodGet, address, resp)
	}
	return resp, nil
}

// Request is what [Client.Do] sends.
type Request struct {
	Method string // empty: GET
	URL    string
	Header http.Header
	Body   []byte
	Retry  bool // retry even though the method is neither GET nor HEAD: the request may safely arrive twice
}

// Response is an answer that was read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	URL    string // where it came from, after redirects
}

// StatusError is an answer that is no success.
type StatusError struct {
	Method, Host string
	Status       int
	Body         []byte // what came with it, for those who know its form; never part of the text
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: status %d", e.Method, e.Host, e.Status)
}

// RetryAfterError says that the server wants to be left alone for longer than one sleeps within a request.
type RetryAfterError struct {
	After time.Duration // at most a day
	Err   error
	Ours  bool // nobody asked: asking sooner would get the same answer
}

func (e *RetryAfterError) Error() string {
	if e.Ours {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v: asked to come back in %v", e.Err, e.After.Round(time.Second))
}

// Unwrap returns what happened, mostly a [*StatusError].
func (e *RetryAfterError) Unwrap() error { return e.Err }

// ErrTooLarge is the error for an answer larger than the limit.
var ErrTooLarge = errors.New("the answer is too large")

// Get fetches an address. It returns answers of status 2xx and 304; any other is a [*StatusError], or a
// [*RetryAfterError] when the server says when to come back.
func (c *Client) Get(ctx context.Context, url string, header http.Header) (*Response, error) {
	return c.Do(ctx, Request{URL: url, Header: header})
}

// Do sends a request; see [Client.Get] for what it returns.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	probe, err := c.manners.admit(time.Now())
	if err != nil {
		return nil, notAsked(r.Method, r.URL, err)
	}
	resp, err := c.send(ctx, r, probe)
	c.manners.settle(time.Now(), resp, err)
	return resp, err
}

// notAsked says where nothing was asked. The failure of an earlier request, which is why, says so itself.
func notAsked(method, address string, err error) error {
	if _, failed := errors.AsType[*RetryAfterError](err); failed {
		return err
	}
	return fmt.Errorf("%s %s: %w", method, host(address), err)
}

// send sends a request, and sends it again where that is worth it and once is not asked for.
func (c *Client) send(ctx context.Context, r Request, once bool) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Overall)
	defer cancel()
	req, err := c.request(ctx, r, once)
	if err != nil {
		return nil, err
	}
	resp, err := c.retries.Do(req)
	if err != nil {
		if resp != nil {
			resp.Body.Close()
		}
		return nil, SafeError(r.Method, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.opt.MaxBody+1)) // the transport has unpacked it
	if err == nil && int64(len(body)) > c.opt.MaxBody {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, SafeError(r.Method, r.URL, err)
	}
	if resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusNotModified {
		return nil, statusError(r.Method, host(r.URL), resp, body)
	}
	return &Response{resp.StatusCode, resp.Header, body, resp.Request.URL.String()}, nil
}

func (c *Client) request(ctx context.Context, r Request, once bool) (*retryablehttp.Request, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: the address is not one of http or https", r.Method)
	}
	var body any
	if r.Body != nil {
		body = r.Body
	}
	if again := r.Retry || r.Method == http.MethodGet || r.Method == http.MethodHead; again && !once {
		ctx = context.WithValue(ctx, mayRetry{}, c)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, SafeError(r.Method, r.URL, err)
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.opt.UserAgent)
	}
	return req, nil
}

// AnswerError is the error for an answer that is no success and was not got through [Client.Do], such as one to the
// handshake of a websocket.
func AnswerError(method, address string, resp *http.Response) error {
	return statusError(method, host(address), resp, nil)
}

func statusError(method, host string, resp *http.Response, body []byte) error {
	e := &StatusError{Method: method, Host: host, Status: resp.StatusCode, Body: body}
	if after, ok := retryAfter(resp, time.Now()); ok {
		return &RetryAfterError{After: min(after, maxRetryAfter), Err: e}
	}
	return e
}

// mayRetry is the context key that tells checkRetry, which sees no request, whose budget a retry is made from. Without
// it there is none.
type mayRetry struct{}

// checkRetry retries what may pass by itself: lost connections, overload, and answers that say so.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	c, again := ctx.Value(mayRetry{}).(*Client)
	if !again || !worthRetrying(resp, err) {
		return false, nil
	}
	return c.manners.again(time.Now()), nil
}

func worthRetrying(resp *http.Response, err error) bool {
	if err != nil {
		return transient(err)
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		after, _ := retryAfter(resp, time.Now())
		return after <= maxNap
	}
	return false
}

// backoff waits a random time that may double with each try, or as long as the server asks for.
func backoff(low, high time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := rand.N(min(high, low<<min(attempt+1, 10)))
	if resp != nil {
		if after, ok := retryAfter(resp, time.Now()); ok {
			return min(after, maxNap) + wait
		}
	}
	return wait
}

// retryAfter reads the header of that name, in seconds or as a date; of an answer that the rate limit is used up, also
// when that begins anew.
func retryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	header := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0), true
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return resetIn(resp.Header, now)
	}
	return 0, false
}
