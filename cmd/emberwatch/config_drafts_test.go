package main

import (
	"testing"
)

// TestRephraseConfig: a model on this machine may be spoken to in the clear, others are warned of, and a half
// configuration is refused.
func TestRephraseConfig(t *testing.T) {
	for _, c := range []struct {
		r                RephraseConfig
		refused, warning bool
	}{
		{RephraseConfig{}, false, false},
		{RephraseConfig{Model: "unused without url"}, false, false},
		{RephraseConfig{URL: "http://127.0.0.1:11434/v1", Model: "m"}, false, false},
		{RephraseConfig{URL: "http://localhost:11434/v1", Model: "m"}, false, false},
		{RephraseConfig{URL: "https://models.example/v1", Model: "m"}, false, false},
		{RephraseConfig{URL: "http://models.example/v1", Model: "m"}, false, true},
		{RephraseConfig{URL: "https://models.example/v1"}, true, false},
		{RephraseConfig{URL: "models.example/v1", Model: "m"}, true, false},
		{RephraseConfig{URL: "https://user:pass@models.example/v1", Model: "m"}, true, false},
	} {
		cfg := Default()
		cfg.Drafts.Rephrase = c.r
		errs := cfg.Validate()
		if errs.Refused() != c.refused || (len(errs) > 0) != (c.refused || c.warning) {
			t.Errorf("%+v: %v", c.r, errs)
		}
	}
}
