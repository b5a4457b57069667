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
	"net/url"
	"sync"
	"time"

	"emberwatch/sources"
)

const (
	scope     = "https://www.googleapis.com/auth/androidpublisher"
	grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	lifetime  = time.Hour   // of an assertion, and as a rule of a token
	margin    = time.Minute // before its end a token is not used any more
)

// account is a service account: it asks for tokens and keeps the last one (RFC 7523).
type account struct {
	email, keyID, address string
	key                   *rsa.PrivateKey
	client                *sources.Client
	now                   func() time.Time

	mu     sync.Mutex // guards what follows
	bearer string
	until  time.Time
}

// newAccount reads the key file of a service account. Its errors repeat nothing of it.
func newAccount(file []byte, client *sources.Client) (*account, error) {
	var f struct {
		Email    string `json:"client_email"`
		Key      string `json:"private_key"`
		KeyID    string `json:"private_key_id"`
		TokenURI string `json:"token_uri"`
	}
	if json.Unmarshal(file, &f) != nil || f.Email == "" || f.Key == "" {
		return nil, errors.New("this is no key of a service account: expected JSON with client_email and private_key")
	}
	if f.TokenURI == "" {
		f.TokenURI = "https://oauth2.googleapis.com/token"
	}
	block, _ := pem.Decode([]byte(f.Key))
	if block == nil {
		return nil, errors.New("private_key is not in PEM form")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("private_key is no RSA key in PKCS #8 form")
	}
	return &account{email: f.Email, keyID: f.KeyID, address: f.TokenURI, key: key, client: client, now: time.Now}, nil
}

// token returns a token that is good for at least a minute.
func (a *account) token(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.bearer != "" && now.Before(a.until) {
		return a.bearer, nil
	}
	assertion, err := a.assertion(now)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	resp, err := a.client.Do(ctx, sources.Request{
		Method: http.MethodPost, URL: a.address, Retry: true,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte(url.Values{"grant_type": {grantType}, "assertion": {assertion}}.Encode()),
	})
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	bearer, life, err := decodeToken(resp.Body)
	if err != nil {
		return "", err
	}
	a.bearer, a.until = bearer, now.Add(life-margin)
	return bearer, nil
}

// decodeToken reads the answer to an assertion. Its error repeats nothing of it.
func decodeToken(body []byte) (bearer string, life time.Duration, err error) {
	var answer struct {
		Token   string        `json:"access_token"`
		Expires sources.Loose `json:"expires_in"`
	}
	if sources.DecodeJSON(body, &answer) != nil || answer.Token == "" {
		return "", 0, errors.New("token: the answer holds none")
	}
	life = lifetime
	if n := answer.Expires.Int(); n > 0 {
		life = min(time.Duration(min(n, 1<<20))*time.Second, lifetime)
	}
	return answer.Token, life, nil
}

// forget has the next request ask for another token.
func (a *account) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bearer = ""
}

// assertion is a JSON Web Token, signed with RS256.
func (a *account) assertion(now time.Time) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": a.keyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": a.email, "scope": scope, "aud": a.address, "iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(header) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", errors.New("the key cannot sign")
	}
	return signed + "." + encode(signature), nil
}
