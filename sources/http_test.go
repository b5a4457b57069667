package sources_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"emberwatch/sources"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// local is a client that may fetch from test servers.
func local(t *testing.T, opt sources.ClientOptions) *sources.Client {
	t.Helper()
	opt.Allow = loopback
	c := sources.NewClient(opt)
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestGet(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Agent", r.UserAgent())
		w.Header().Set("X-Key", r.Header.Get("Api-Key"))
		io.WriteString(w, "hello")
	})
	resp, err := local(t, sources.ClientOptions{UserAgent: "ember/1"}).Get(t.Context(), url+"/a", http.Header{"api-key": {"k"}})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != 200 || string(resp.Body) != "hello" || resp.Header.Get("X-Agent") != "ember/1" || resp.Header.Get("X-Key") != "k" || resp.URL != url+"/a" {
		t.Errorf("got %+v", resp)
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	port := 0
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port = listener.Addr().(*net.TCPAddr).Port
	c := sources.NewClient(sources.ClientOptions{})
	t.Cleanup(c.Close)
	for _, host := range []string{
		"127.0.0.1", "localhost", "0.0.0.0", "0", "127.1", "2130706433", "0x7f000001", "017700000001", "[::1]", "[::]", "[::ffff:127.0.0.1]",
		"[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
		"255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2002:7f00:1::]",
		"[2001:db8::1]", "[2001::1]", "[::127.0.0.1]",
	} {
		t.Run(host, func(t *testing.T) {
			_, err := c.Get(t.Context(), fmt.Sprintf("http://%s:%d/", host, port), nil)
			if err == nil {
				t.Fatal("it was fetched")
			}
			if dns := (*net.DNSError)(nil); !errors.Is(err, sources.ErrAddress) && !errors.As(err, &dns) {
				t.Errorf("not refused for its address: %v", err)
			}
		})
	}
}

func TestRedirectsAreCheckedToo(t *testing.T) {
	inside := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inner server was reached") }))
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("no second loopback address:", err)
	}
	inside.Listener.Close()
	inside.Listener = listener
	inside.Start()
	defer inside.Close()
	outside := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) })
	c := sources.NewClient(sources.ClientOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	t.Cleanup(c.Close)
	_, err = c.Get(t.Context(), outside+"/?secret=s3cret", nil)
	want := "GET " + hostOf(outside) + ": redirected to " + hostOf(inside.URL) + ": 127.0.0.2 is not a public address; outgoing.allow lists exceptions"
	if !errors.Is(err, sources.ErrAddress) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func hostOf(address string) string { return strings.TrimPrefix(address, "http://") }

// TestErrorsSayWhatIsWrongWithTheAddress, where it is that: another server answers there.
func TestErrorsSayWhatIsWrongWithTheAddress(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/s3cret", http.StatusFound)
	})
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Close() })
	go func() {
		for {
			conn, err := mail.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n') // closed with something unread, the answer might be lost
			io.WriteString(conn, "220 mail ESMTP\r\n")
			conn.Close()
		}
	}()
	for _, tt := range []struct {
		address string
		is      error
		says    string
	}{
		{"https://" + hostOf(plain), sources.ErrNoTLS, "the server does not speak TLS there"},
		{"http://" + mail.Addr().String(), sources.ErrNoHTTP, "the answer is no HTTP"},
		{plain, sources.ErrRedirects, `a redirect to the scheme "file", which is neither http nor https`},
	} {
		_, err := local(t, sources.ClientOptions{Retries: -1}).Get(t.Context(), tt.address+"/?key=s3cret", nil)
		if !errors.Is(err, tt.is) || !strings.HasSuffix(err.Error(), ": "+tt.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", tt.address, err)
		}
	}
}

func TestRedirectsAreCounted(t *testing.T) {
	var hops atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hops.Add(1)
		http.Redirect(w, r, "/again?secret=s3cret", http.StatusFound)
	})
	_, err := local(t, sources.ClientOptions{}).Get(t.Context(), url, nil)
	if err == nil || !strings.Contains(err.Error(), "too many redirects") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	if n := hops.Load(); n != 6 {
		t.Errorf("asked %d times, want one request and five redirects", n)
	}
}

func TestRedirectToAnotherSchemeOrHost(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "Api-Key", "Cookie", "Referer", "If-None-Match"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("%s went along: %s", name, v)
			}
		}
		if r.UserAgent() != "ember/1" {
			t.Errorf("user agent %q", r.UserAgent())
		}
	})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.Redirect(w, r, other, http.StatusFound)
		}
	})
	c := local(t, sources.ClientOptions{UserAgent: "ember/1"})
	header := http.Header{"Authorization": {"Bearer x"}, "Api-Key": {"x"}, "Cookie": {"a=b"}, "If-None-Match": {"x"}}
	if _, err := c.Get(t.Context(), url+"/host?token=x", header); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), url+"/file", header); err == nil {
		t.Error("a file was fetched")
	}
}

func TestOtherSchemes(t *testing.T) {
	for _, url := range []string{"file:///etc/passwd", "gopher://x/", "//x", "x", "http://", "http://a b/", ""} {
		if _, err := local(t, sources.ClientOptions{}).Get(t.Context(), url, nil); err == nil {
			t.Errorf("%q was fetched", url)
		}
	}
}

func TestSizeIsLimitedAfterUnpacking(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.CopyN(z, zeros{}, 50<<20)
		z.Close()
	})
	c := local(t, sources.ClientOptions{MaxBody: 1 << 20})
	if _, err := c.Get(t.Context(), url, nil); !errors.Is(err, sources.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestRetries(t *testing.T) {
	tests := map[string]struct {
		status  int
		request sources.Request
		want    int32
	}{
		"404 is final":                {404, sources.Request{}, 1},
		"401 is final":                {401, sources.Request{}, 1},
		"501 is final":                {501, sources.Request{}, 1},
		"408 may pass":                {408, sources.Request{}, 2},
		"425 may pass":                {425, sources.Request{}, 2},
		"429 may pass":                {429, sources.Request{}, 2},
		"500 may pass":                {500, sources.Request{}, 2},
		"503 may pass":                {503, sources.Request{}, 2},
		"a POST is sent once":         {503, sources.Request{Method: "POST", Body: []byte("x")}, 1},
		"a POST that may come twice":  {503, sources.Request{Method: "POST", Body: []byte("x"), Retry: true}, 2},
		"a DELETE is not sent again":  {502, sources.Request{Method: "DELETE"}, 1},
		"success is not asked for it": {204, sources.Request{}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int32
			tt.request.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				if body, _ := io.ReadAll(r.Body); string(body) != string(tt.request.Body) {
					t.Errorf("try %d came with body %q", tries.Load(), body)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, "detail")
			})
			_, err := local(t, sources.ClientOptions{Retries: 1}).Do(t.Context(), tt.request)
			if n := tries.Load(); n != tt.want {
				t.Errorf("%d tries, want %d", n, tt.want)
			}
			if tt.status < 300 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			status, ok := errors.AsType[*sources.StatusError](err)
			if !ok || status.Status != tt.status || string(status.Body) != "detail" {
				t.Errorf("got %v (%+v)", err, status)
			}
		})
	}
}

func TestLostConnectionIsRetried(t *testing.T) {
	var tries atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "ok")
	})
	if resp, err := local(t, sources.ClientOptions{}).Get(t.Context(), url, nil); err != nil || string(resp.Body) != "ok" {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"3600":    time.Hour,
		"86400":   24 * time.Hour,
		"2592000": 24 * time.Hour,
		time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat): 30 * time.Minute,
	} {
		var tries atomic.Int32
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			tries.Add(1)
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		begun := time.Now()
		_, err := local(t, sources.ClientOptions{}).Get(t.Context(), url+"/secret-path", nil)
		later, ok := errors.AsType[*sources.RetryAfterError](err)
		if !ok || (later.After-want).Abs() > 5*time.Second {
			t.Errorf("%s: got %v", header, err)
			continue
		}
		if strings.Contains(err.Error(), "secret") || tries.Load() != 1 || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: %d tries, %v: %v", header, tries.Load(), time.Since(begun), err)
		}
		if status, ok := errors.AsType[*sources.StatusError](err); !ok || status.Status != 429 {
			t.Errorf("%s: no status in %v", header, err)
		}
	}
}

func TestErrorsNameTheHostOnly(t *testing.T) {
	hang := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	lost := serve(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	bad := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://%zz/canary")
		w.WriteHeader(http.StatusFound)
	})
	cut := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "short")
	})
	closed := httptest.NewServer(nil)
	closed.Close()
	c := local(t, sources.ClientOptions{Timeout: 100 * time.Millisecond, Retries: -1})
	for name, base := range map[string]string{"timeout": hang, "lost": lost, "bad redirect": bad, "cut off": cut, "closed": closed.URL, "no such host": "http://nowhere.invalid"} {
		u, _ := url.Parse(base)
		_, err := c.Get(t.Context(), strings.Replace(base, "http://", "http://canary:canary@", 1)+"/canary?key=canary", nil)
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "GET "+u.Host+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCancelledRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := local(t, sources.ClientOptions{}).Get(ctx, url, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOverallTimeout(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	begun := time.Now()
	_, err := local(t, sources.ClientOptions{Overall: 50 * time.Millisecond}).Get(t.Context(), url, nil)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

func TestStreamIsGuardedAndUnhurried(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "event") })
	c := sources.NewClient(sources.ClientOptions{})
	t.Cleanup(c.Close)
	if _, err := c.Stream().Get(url); !errors.Is(err, sources.ErrAddress) {
		t.Errorf("loopback: %v", err)
	}
	stream := local(t, sources.ClientOptions{}).Stream()
	resp, err := stream.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if stream.Timeout != 0 {
		t.Errorf("a stream ends after %v", stream.Timeout)
	}
}

// A body may be a secret as a whole: a signed assertion, a form with a password.
func TestBodyIsNotSentToAnotherHost(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("the other host was asked") })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other+"/?again=canary", http.StatusTemporaryRedirect)
	})
	_, err := local(t, sources.ClientOptions{}).Do(t.Context(), sources.Request{Method: "POST", URL: url, Body: []byte("canary")})
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestOpenReadsAsItComes(t *testing.T) {
	more := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		default:
			io.WriteString(w, "first")
			w.(http.Flusher).Flush()
			<-more
			io.WriteString(w, "second")
		}
	})
	c := local(t, sources.ClientOptions{Timeout: 5 * time.Second}).For(0)
	resp, err := c.Open(t.Context(), url+"/canary?canary", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "first" {
		t.Errorf("got %q, %v", first, err)
	}
	close(more)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "second" {
		t.Errorf("got %q, %v", rest, err)
	}
	if _, err := c.Open(t.Context(), url+"/gone", nil); !sources.Gone(err) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Open(t.Context(), url+"/empty", nil); err == nil {
		t.Error("an answer without a body was taken for a stream")
	}
	for range 2 { // the second is not even asked
		_, err = c.Open(t.Context(), url+"/busy?canary", nil)
		if later, ok := errors.AsType[*sources.RetryAfterError](err); !ok || later.After > time.Minute || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %v", err)
		}
	}
	guarded := sources.NewClient(sources.ClientOptions{})
	t.Cleanup(guarded.Close)
	if _, err := guarded.Open(t.Context(), url+"/canary", nil); !errors.Is(err, sources.ErrAddress) || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Open(t.Context(), "file:///canary", nil); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}
