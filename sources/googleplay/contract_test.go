package googleplay

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
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

// testKey is made once: that takes a while.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// keyFile is a key of a service account whose tokens come from an address.
func keyFile(t testing.TB, tokenURI string) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "ember@example.iam.gserviceaccount.com", "private_key_id": "k1", "token_uri": tokenURI,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func source(t testing.TB, address string) *Source {
	t.Helper()
	client := sources.NewClient(sources.ClientOptions{Allow: loopback, Retries: -1})
	t.Cleanup(client.Close)
	s, err := New(Options{Name: "android", App: "com.example.app", Credentials: keyFile(t, address+"/token"), URL: address + "/", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// store stands for Google: it gives out a token for a rightly signed assertion, and for it the reviews, the last
// changed first, two to a page. What is asked is noted.
type store struct {
	URL string

	mu         sync.Mutex
	bearer     string
	reviews    []map[string]any
	fails      map[string]int // by what is asked: the status instead
	retryAfter string
	asked      []string
}

func newStore(t *testing.T) *store {
	s := &store{bearer: "first", fails: map[string]int{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// put writes or changes a review, which is then the first.
func (s *store) put(id, text, reply string) {
	s.add(listed(id, text, "", time.Unix(1794800000, 0), reply))
}

func (s *store) add(r map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reviews = slices.DeleteFunc(s.reviews, func(old map[string]any) bool { return old["reviewId"] == r["reviewId"] && r["reviewId"] != nil })
	s.reviews = slices.Insert(s.reviews, 0, r)
}

func listed(id, text, title string, at time.Time, reply string) map[string]any {
	when := map[string]any{"seconds": strconv.FormatInt(at.Unix(), 10)}
	comments := []any{map[string]any{"userComment": map[string]any{"text": title + "\t" + text, "starRating": 2, "lastModified": when}}}
	if reply != "" {
		comments = append(comments, map[string]any{"developerComment": map[string]any{"text": reply, "lastModified": when}})
	}
	return map[string]any{"reviewId": id, "comments": comments}
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := strconv.Atoi(r.FormValue("token"))
	what := strconv.Itoa(at)
	if r.URL.Path == "/token" {
		what = "token"
	}
	s.asked = append(s.asked, what)
	switch {
	case s.fails[what] != 0:
		w.Header().Set("Retry-After", s.retryAfter)
		w.WriteHeader(s.fails[what])
	case what == "token":
		if err := checkAssertion(r, s.URL+"/token"); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600,"token_type":"Bearer"}`, s.bearer)
	case r.Header.Get("Authorization") != "Bearer "+s.bearer:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path != "/androidpublisher/v3/applications/com.example.app/reviews" || r.FormValue("token") != "" && err != nil:
		w.WriteHeader(http.StatusNotFound)
	case len(s.reviews) == 0:
		fmt.Fprint(w, `{}`)
	default:
		page := map[string]any{"reviews": s.reviews[min(at, len(s.reviews)):min(at+2, len(s.reviews))]}
		if at+2 < len(s.reviews) {
			page["tokenPagination"] = map[string]string{"nextPageToken": strconv.Itoa(at + 2)}
		}
		json.NewEncoder(w).Encode(page)
	}
}

// checkAssertion holds an assertion against what RFC 7523 and Google ask for.
func checkAssertion(r *http.Request, audience string) error {
	parts := strings.Split(r.FormValue("assertion"), ".")
	if r.Method != http.MethodPost || r.FormValue("grant_type") != grantType || len(parts) != 3 {
		return errors.New("no assertion")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return err
	}
	if claims.Iss == "" || claims.Scope != scope || claims.Aud != audience || claims.Exp-claims.Iat != 3600 {
		return errors.New("wrong claims")
	}
	return nil
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		reviews := newStore(t)
		client := sources.NewClient(sources.ClientOptions{Allow: loopback})
		t.Cleanup(client.Close)
		put := func(m sources.Mention) { reviews.add(listed(m.ID, m.Text, m.Title, m.CreatedAt, "")) }
		return sourcetest.Harness{
			Source: func(t *testing.T) sources.Source {
				s, err := New(Options{Name: "android", App: "com.example.app", Credentials: keyFile(t, reviews.URL+"/token"), URL: reviews.URL, Client: client})
				if err != nil {
					t.Fatal(err)
				}
				s.opt.Every = 5 * time.Millisecond
				s.opt.Client, s.account.client = client, client // a test polls more often than a day's budget allows
				return closing{s, client}
			},
			Put: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					put(m)
				}
				return nil
			},
			PutBad: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					reviews.add(map[string]any{"reviewId": nil, "comments": []any{7}})
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
