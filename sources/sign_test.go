package sources_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"testing"
	"time"

	"emberwatch/sources"
)

const batchBody = `{"items":[{"id":"a"}]}`

func hub(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func verifier(t testing.TB, p sources.Profile, secrets ...string) *sources.Verifier {
	t.Helper()
	v, err := sources.NewVerifier(p, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestStandardVector holds the scheme against a signature that was computed elsewhere.
func TestStandardVector(t *testing.T) {
	v := verifier(t, sources.Standard, "whsec_LGysw1F/nQbffsRRKdzy2dam+x6dVq6r")
	body := `{"v":1,"id":"fb:1005","source":"import","kind":"tag","brand":"fjellbryg","author":{"id":"u-21","name":"Elin"},` +
		`"text":"@fjellbryg hur länge ska man vänta på svar egentligen?","lang":"sv","created_at":"2026-11-16T08:05:00Z"}`
	h := http.Header{}
	h.Set("webhook-id", "msg_shared_0002")
	h.Set("webhook-timestamp", "1794813600")
	h.Set("webhook-signature", "v1,+umwicjpx4FV0ojNvU6Q+fKi74FsszjOmfpLFQaGBzw=")
	for now, want := range map[int64]bool{
		1794813600: true, 1794813899: true, 1794813900: true, 1794813901: false, 1794813300: true, 1794813299: false,
	} {
		if err := v.Verify(h, []byte(body), time.Unix(now, 0)); (err == nil) != want {
			t.Errorf("at %+d s: %v", now-1794813600, err)
		}
	}
	if err := v.Verify(h, []byte(body+" "), time.Unix(1794813600, 0)); !errors.Is(err, sources.ErrSignature) {
		t.Errorf("another body: %v", err)
	}
}

func TestStandardSignatures(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	const old, fresh = "whsec_bXlvbGRzZWNyZXQ=", "a raw secret"
	sign := func(secret string) http.Header {
		h := http.Header{}
		if err := sources.SignStandard(h, secret, "msg_1", []byte(batchBody), now); err != nil {
			t.Fatal(err)
		}
		return h
	}
	both := verifier(t, sources.Standard, fresh, old)
	tests := map[string]struct {
		v      *sources.Verifier
		change func(http.Header)
		secret string
		want   bool
	}{
		"signed with the old secret":      {both, nil, old, true},
		"signed with the new secret":      {both, nil, fresh, true},
		"the old secret was withdrawn":    {verifier(t, sources.Standard, fresh), nil, old, false},
		"several signatures":              {both, func(h http.Header) { h.Set("webhook-signature", "v1,AAAA v1a,xyz "+h.Get("webhook-signature")) }, old, true},
		"no version":                      {both, func(h http.Header) { h.Set("webhook-signature", h.Get("webhook-signature")[3:]) }, old, false},
		"garbage":                         {both, func(h http.Header) { h.Set("webhook-signature", "v1,### v1, v1") }, old, false},
		"no signature":                    {both, func(h http.Header) { h.Del("webhook-signature") }, old, false},
		"no time":                         {both, func(h http.Header) { h.Del("webhook-timestamp") }, old, false},
		"no id":                           {both, func(h http.Header) { h.Del("webhook-id") }, old, false},
		"another id":                      {both, func(h http.Header) { h.Set("webhook-id", "msg_2") }, old, false},
		"another time":                    {both, func(h http.Header) { h.Set("webhook-timestamp", "1800000001") }, old, false},
		"a time that is no number":        {both, func(h http.Header) { h.Set("webhook-timestamp", "soon") }, old, false},
		"a time beyond all numbers":       {both, func(h http.Header) { h.Set("webhook-timestamp", "9223372036854775807") }, old, false},
		"a time before all numbers":       {both, func(h http.Header) { h.Set("webhook-timestamp", "-9223372036854775808") }, old, false},
		"the encoded secret taken as raw": {verifier(t, sources.Standard, "bXlvbGRzZWNyZXQ="), nil, old, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := sign(tt.secret)
			if tt.change != nil {
				tt.change(h)
			}
			err := tt.v.Verify(h, []byte(batchBody), now)
			if (err == nil) != tt.want {
				t.Errorf("got %v", err)
			}
			if err != nil && !errors.Is(err, sources.ErrSignature) {
				t.Errorf("%v is no ErrSignature", err)
			}
		})
	}
}

func TestHubAndBearer(t *testing.T) {
	hubs := verifier(t, sources.HubSHA256, "new", "fixture-app-secret")
	tokens := verifier(t, sources.Bearer, "token-1", "token-2")
	sha1s := verifier(t, sources.HubSHA1, "new", "fixture-app-secret")
	const sha1Of = "sha1=39f7408acab948b2910213beecb2a399f9f79644" // of batchBody, computed elsewhere
	tests := map[string]struct {
		v           *sources.Verifier
		name, value string
		want        bool
	}{
		"sha1":              {sha1s, "X-Hub-Signature", sha1Of, true},
		"sha1, other":       {sha1s, "X-Hub-Signature", "sha1=39f7408acab948b2910213beecb2a399f9f79645", false},
		"sha1 as sha256":    {hubs, "X-Hub-Signature-256", sha1Of, false},
		"sha256 for sha1":   {sha1s, "X-Hub-Signature-256", hub("fixture-app-secret", batchBody), false},
		"hub":               {hubs, "X-Hub-Signature-256", hub("fixture-app-secret", batchBody), true},
		"hub, other secret": {hubs, "X-Hub-Signature-256", hub("", batchBody), false},
		"hub, other body":   {hubs, "X-Hub-Signature-256", hub("new", batchBody+" "), false},
		"hub, no prefix":    {hubs, "X-Hub-Signature-256", hub("new", batchBody)[7:], false},
		"hub, no hex":       {hubs, "X-Hub-Signature-256", "sha256=zz", false},
		"hub, zeros":        {hubs, "X-Hub-Signature-256", "sha256=0000000000000000000000000000000000000000000000000000000000000000", false},
		"hub, empty":        {hubs, "X-Hub-Signature-256", "sha256=", false},
		"hub, none":         {hubs, "X-Other", "", false},
		"token":             {tokens, "Authorization", "Bearer token-2", true},
		"token, case":       {tokens, "Authorization", "bearer token-1", true},
		"token, other":      {tokens, "Authorization", "Bearer token-3", false},
		"token, part":       {tokens, "Authorization", "Bearer token-", false},
		"token, basic":      {tokens, "Authorization", "Basic token-1", false},
		"token, empty":      {tokens, "Authorization", "Bearer ", false},
		"token, none":       {tokens, "X-Other", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			h.Set(tt.name, tt.value)
			if err := tt.v.Verify(h, []byte(batchBody), time.Now()); (err == nil) != tt.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSecretsThatAreNone(t *testing.T) {
	for _, p := range sources.Profiles {
		for _, secrets := range [][]string{nil, {""}, {"good", ""}, {" \t"}} {
			if _, err := sources.NewVerifier(p, secrets...); err == nil {
				t.Errorf("%s took %q", p, secrets)
			}
		}
	}
	for _, secret := range []string{"whsec_", "whsec_==", "whsec_not base64!"} {
		if _, err := sources.NewVerifier(sources.Standard, secret); err == nil {
			t.Errorf("standard took %q", secret)
		}
	}
	if _, err := sources.NewVerifier("md5", "secret"); err == nil {
		t.Error("an unknown profile was taken")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("msg_1", "1800000000", "v1,+umwicjpx4FV0ojNvU6Q+fKi74FsszjOmfpLFQaGBzw=", "sha256=00", "Bearer x")
	f.Add("", "-1", "v1, v1,,", "sha256=", "Bearer")
	f.Add(".", "99999999999999999999", "v1,\x00 v2,a", "SHA256=ab", " x y z")
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, id, stamp, signature, hubSignature, authorization string) {
		h := http.Header{}
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", stamp)
		h.Set("webhook-signature", signature)
		h.Set("X-Hub-Signature-256", hubSignature)
		h.Set("X-Hub-Signature", hubSignature)
		h.Set("Authorization", authorization)
		for _, p := range sources.Profiles {
			if err := verifier(t, p, "a secret that no fuzzer guesses").Verify(h, []byte(batchBody), now); err == nil {
				t.Errorf("%s let it in", p)
			}
		}
	})
}
