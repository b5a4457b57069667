package sources

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Profile says how a sender proves that a request is its own.
type Profile string

// The profiles of a signature.
const (
	// Standard is Standard Webhooks: HMAC-SHA256 over "id.timestamp.body" in the header webhook-signature.
	Standard Profile = "standard"
	// HubSHA256 is HMAC-SHA256 over the body, as hex in X-Hub-Signature-256. It has no time: a repeated
	// request is told by its content only.
	HubSHA256 Profile = "hub-sha256"
	// HubSHA1 is the same with SHA-1 in X-Hub-Signature, for senders that know nothing better. As an HMAC it still
	// holds.
	HubSHA1 Profile = "hub-sha1"
	// Bearer is a shared token in the Authorization header, for senders that cannot sign. It proves the
	// sender and not the body.
	Bearer Profile = "bearer"
)

// Profiles lists every profile.
var Profiles = []Profile{Standard, HubSHA256, HubSHA1, Bearer}

// Tolerance is how far the time of a signed request may be from ours, both ways.
const Tolerance = 5 * time.Minute

// ErrSignature is what every failed verification is: whoever asks must not learn what was wrong. The text
// around it, for our own log, says it.
var ErrSignature = errors.New("the request is not signed by a known sender")

// Verifier checks requests of one sender. It is immutable.
type Verifier struct {
	profile Profile
	keys    [][]byte
}

// NewVerifier makes a verifier with one or more active secrets; two while one replaces the other. A secret of
// the standard profile is whsec_ followed by base64, or raw. An empty secret is refused: it would let
// everybody in.
func NewVerifier(profile Profile, secrets ...string) (*Verifier, error) {
	if !slices.Contains(Profiles, profile) {
		return nil, fmt.Errorf("signature profile %q is not one of %s", profile, wordList(Profiles))
	}
	v := &Verifier{profile: profile}
	for _, secret := range secrets {
		key, err := signingKey(profile, secret)
		if err != nil {
			return nil, err
		}
		v.keys = append(v.keys, key)
	}
	if len(v.keys) == 0 {
		return nil, errors.New("the secret is missing")
	}
	return v, nil
}

func signingKey(profile Profile, secret string) ([]byte, error) {
	secret = strings.TrimSpace(secret)
	key := []byte(secret)
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok && profile == Standard {
		var err error
		if key, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "=")); err != nil {
			return nil, errors.New("the secret begins with whsec_ but what follows is not base64")
		}
	}
	if len(key) == 0 {
		return nil, errors.New("the secret is empty")
	}
	return key, nil
}

// Profile is how the sender signs.
func (v *Verifier) Profile() Profile { return v.profile }

// Verify returns nil if a request with these headers and this raw body was sent by who knows a secret, and
// an error wrapping [ErrSignature] otherwise. It compares in constant time.
func (v *Verifier) Verify(h http.Header, body []byte, now time.Time) error {
	switch v.profile {
	case HubSHA256:
		return v.verifyHub(h.Get("X-Hub-Signature-256"), "sha256=", sha256.New, body)
	case HubSHA1:
		return v.verifyHub(h.Get("X-Hub-Signature"), "sha1=", sha1.New, body)
	case Bearer:
		return v.verifyBearer(h)
	}
	return v.verifyStandard(h, body, now)
}

func (v *Verifier) verifyStandard(h http.Header, body []byte, now time.Time) error {
	id, stamp, header := h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get("webhook-signature")
	if id == "" || stamp == "" || header == "" {
		return fmt.Errorf("%w: a webhook- header is missing", ErrSignature)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: webhook-timestamp is not a number", ErrSignature)
	}
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > Tolerance {
		return fmt.Errorf("%w: signed at another time", ErrSignature)
	}
	for _, key := range v.keys {
		want := standardMAC(key, id, stamp, body)
		for _, given := range strings.Fields(header) {
			if mac, ok := decodeV1(given); ok && hmac.Equal(mac, want) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: no signature fits", ErrSignature)
}

func standardMAC(key []byte, id, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// decodeV1 reads one entry of webhook-signature. Other versions, such as v1a with public keys, are not for us.
func decodeV1(entry string) ([]byte, bool) {
	encoded, ok := strings.CutPrefix(entry, "v1,")
	if !ok {
		return nil, false
	}
	mac, err := base64.StdEncoding.DecodeString(encoded)
	return mac, err == nil
}

func (v *Verifier) verifyHub(header, prefix string, newHash func() hash.Hash, body []byte) error {
	encoded, ok := strings.CutPrefix(header, prefix)
	given, err := hex.DecodeString(encoded)
	if !ok || err != nil {
		return fmt.Errorf("%w: the signature header of profile %s is missing or malformed", ErrSignature, v.profile)
	}
	for _, key := range v.keys {
		mac := hmac.New(newHash, key)
		mac.Write(body)
		if hmac.Equal(given, mac.Sum(nil)) {
			return nil
		}
	}
	return fmt.Errorf("%w: no signature fits", ErrSignature)
}

func (v *Verifier) verifyBearer(h http.Header) error {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return fmt.Errorf("%w: no bearer token", ErrSignature)
	}
	given := sha256.Sum256([]byte(strings.TrimSpace(token))) // equal lengths, so that the length is no secret told
	for _, key := range v.keys {
		if want := sha256.Sum256(key); subtle.ConstantTimeCompare(given[:], want[:]) == 1 {
			return nil
		}
	}
	return fmt.Errorf("%w: unknown token", ErrSignature)
}

// SignStandard sets the headers of Standard Webhooks on a request that we send.
func SignStandard(h http.Header, secret, id string, body []byte, now time.Time) error {
	key, err := signingKey(Standard, secret)
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", stamp)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(standardMAC(key, id, stamp, body)))
	return nil
}
