package main

import (
	"net/http"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/meta"
	"emberwatch/sources/webhook"
)

// hook is a source that is pushed to at /v1/hooks/NAME.
type hook struct {
	name     string
	handler  http.Handler
	unsigned bool // it takes requests without any proof
}

// mountHooks makes the hooks reachable. Where nothing is signed, foreign web sites have to be kept off.
func (s *server) mountHooks(mux *http.ServeMux) {
	for _, h := range s.d.hooks {
		if h.unsigned {
			h.handler = s.page.Protect(h.handler)
		}
		mux.Handle("/v1/hooks/"+h.name, h.handler)
	}
	mux.HandleFunc("/v1/hooks/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, map[string]string{"error": "no source of this name is pushed to; those of type meta, and of type webhook with a name of their own, are"})
	})
}

// newHook makes a webhook of its own beside the intake.
func (d *Daemon) newHook(s *SourceConfig) (sources.Source, error) {
	mapping, err := s.mapping()
	if err != nil {
		return nil, err
	}
	_, unsigned := senders(d.cfg())
	h, err := webhook.New(webhook.Options{
		Name: s.Name, Senders: s.senders(), AllowUnsigned: unsigned, Brand: s.Brand, Timezone: s.zone(), Map: mapping,
		Log: d.log.With("part", "intake"),
	})
	if err != nil {
		return nil, err
	}
	d.hooks = append(d.hooks, hook{s.Name, h, len(s.Secret) == 0})
	return h, nil
}

func (d *Daemon) newMeta(s *SourceConfig, client *sources.Client) (sources.Source, error) {
	src, err := meta.New(meta.Options{
		Name: s.Name, Secrets: s.Secret.values(), VerifyToken: s.VerifyToken.value, Token: s.Token.value,
		URL: s.URL, Brand: s.Brand, Client: client, Log: d.log.With("part", "intake"),
	})
	if err != nil {
		return nil, err
	}
	d.hooks = append(d.hooks, hook{s.Name, src, false})
	return src, nil
}

// senders are the ways to sign for a webhook: the one that is configured, else any of them.
func (s *SourceConfig) senders() []webhook.Sender {
	switch {
	case len(s.Secret) == 0:
		return nil
	case s.Profile == "":
		return anyProfile(s.Name, s.Secret.values()...)
	}
	return []webhook.Sender{{Name: s.Name, Profile: sources.Profile(s.Profile), Secrets: s.Secret.values()}}
}

// mapping is how a webhook reads foreign JSON; nil: it reads mentions.
func (s *SourceConfig) mapping() (*webhook.Mapping, error) {
	if len(s.Map) == 0 {
		return nil, nil
	}
	return webhook.NewMapping(s.Each, s.Map)
}

// zone is the zone of times without one; nil: there is none.
func (s *SourceConfig) zone() *time.Location {
	if s.Timezone == "" {
		return nil
	}
	zone, _ := time.LoadLocation(s.Timezone) // validated
	return zone
}
