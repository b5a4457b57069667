package bluesky

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/sources"
)

// The collections that are listened to.
const (
	posts   = "app.bsky.feed.post"
	reposts = "app.bsky.feed.repost"
)

// event is one event of the stream, of either version of the protocol.
type event struct {
	did      string
	timeUS   int64
	seq      int64
	op       sources.Op // of the record; empty: there is none
	id       string     // at://did/collection/rkey
	rkey     string
	repost   bool
	vanished bool // the account is gone
	bad      bool // it could not be read
	record   record
	kept     bool // the post is about a brand
	tagged   bool // the post tags an account of the brand
}

// frame is what comes over the wire. The first version has its fields at the top, the second in payload.
type frame struct {
	Type    sources.Loose   `json:"$type"`
	Payload json.RawMessage `json:"payload"`
	Error   sources.Loose   `json:"error"`
	Name    sources.Loose   `json:"name"`

	DID     string        `json:"did"`
	TimeUS  int64         `json:"time_us"`
	Kind    sources.Loose `json:"kind"`
	Commit  *commit       `json:"commit"`
	Account *account      `json:"account"`
}

type payload struct {
	Type sources.Loose `json:"$type"`
	Seq  int64         `json:"seq"`
	DID  string        `json:"did"`
	Time sources.Loose `json:"time"`
	commit
	account
	refusal
}

type commit struct {
	Operation  sources.Loose   `json:"operation"`
	Collection sources.Loose   `json:"collection"`
	Rkey       string          `json:"rkey"`
	Record     json.RawMessage `json:"record"`
}

type account struct {
	Active *bool `json:"active"`
}

type refusal struct {
	Error sources.Loose `json:"error"`
	Name  sources.Loose `json:"name"`
}

// refusedError is what a server says when it will not go on.
type refusedError struct{ name string }

func (e *refusedError) Error() string { return "the server refuses to go on: " + e.name }

// Names of refusals of the second version. Others are told as unknown: they are foreign text.
const (
	tooSlow = "ConsumerTooSlow"
	tooOld  = "CursorTooOld"
)

func refused(names ...sources.Loose) error {
	for _, name := range names {
		if name == tooSlow || name == tooOld {
			return &refusedError{name.String()}
		}
	}
	return &refusedError{"for a reason that is not known"}
}

// decode reads a frame.
func decode(b []byte) (event, error) {
	var f frame
	if err := sources.DecodeJSON(b, &f); err != nil {
		return event{}, err
	}
	switch {
	case f.Type == "error":
		var p payload
		if len(f.Payload) > 0 {
			_ = sources.DecodeJSON(f.Payload, &p) // its name may stand here or there
		}
		return event{}, refused(f.Error, f.Name, p.Error, p.refusal.Name)
	case len(f.Payload) > 0:
		return decodeSecond(f.Payload)
	}
	e := event{did: f.DID, timeUS: f.TimeUS}
	switch f.Kind {
	case "commit":
		if f.Commit == nil {
			return e, errors.New("commit: missing")
		}
		return e, e.fill(f.Commit)
	case "account":
		e.vanished = f.Account.gone()
	case "":
		return e, errors.New("kind: missing")
	}
	return e, nil
}

func decodeSecond(b []byte) (event, error) {
	var p payload
	if err := sources.DecodeJSON(b, &p); err != nil {
		return event{}, err
	}
	e := event{did: p.DID, seq: p.Seq}
	if at := p.Time.Time(); !at.IsZero() {
		e.timeUS = at.UnixMicro()
	}
	switch _, kind, _ := strings.Cut(p.Type.String(), "#"); kind {
	case "commit":
		return e, e.fill(&p.commit)
	case "account":
		e.vanished = p.account.gone()
	}
	return e, nil
}

// gone reports an account that was deleted, suspended or taken down. One that says nothing is there.
func (a *account) gone() bool { return a != nil && a.Active != nil && !*a.Active }

// fill reads what a commit did.
func (e *event) fill(c *commit) error {
	collection := c.Collection.String()
	if collection != posts && collection != reposts {
		return nil // servers that filter less than they were asked to
	}
	if !strings.HasPrefix(e.did, "did:") || c.Rkey == "" || strings.ContainsAny(e.did+c.Rkey, "/?# ") {
		return errors.New("commit: it names no record")
	}
	switch c.Operation {
	case "create":
		e.op = sources.Create
	case "update":
		e.op = sources.Update
	case "delete":
		e.op = sources.Delete
	default:
		return errors.New("commit: unknown operation")
	}
	e.repost, e.rkey = collection == reposts, c.Rkey
	e.id = fmt.Sprintf("at://%s/%s/%s", e.did, collection, c.Rkey)
	if e.op == sources.Delete {
		return nil
	}
	if err := json.Unmarshal(c.Record, &e.record); err != nil { // its depth has been checked with the frame
		return errors.New("commit: the record cannot be read")
	}
	return nil
}

// record is a post or a repost. What does not have the form it should have is left out.
type record struct {
	Text    sources.Loose   `json:"text"`
	Langs   json.RawMessage `json:"langs"`
	Facets  json.RawMessage `json:"facets"`
	Embed   json.RawMessage `json:"embed"`
	Reply   json.RawMessage `json:"reply"`
	Subject json.RawMessage `json:"subject"` // of a repost
}

type ref struct {
	URI string `json:"uri"`
}

// part reads a part of a record, or leaves it as it is.
func part[T any](raw json.RawMessage) (out T) {
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			var none T
			return none
		}
	}
	return out
}

// sift decides what of an event is kept, and lets go of the text of all others. Edits keep it: one may take the brand
// out of a post that is held.
func (s *Source) sift(e *event) {
	if e.op == "" || e.op == sources.Delete || e.repost {
		return
	}
	e.tagged = s.tags(e.record.Facets)
	e.kept = e.tagged || s.opt.Keep(e.record.Text.String())
	if !e.kept && e.op == sources.Create {
		e.record = record{}
	}
}

// tags reports whether a facet points to one of the brand's accounts.
func (s *Source) tags(facets json.RawMessage) bool {
	if len(s.opt.DIDs) == 0 || len(facets) == 0 {
		return false
	}
	type facet struct {
		Features []struct {
			DID sources.Loose `json:"did"`
		} `json:"features"`
	}
	for _, f := range part[[]facet](facets) {
		for _, feature := range f.Features {
			if slices.Contains(s.opt.DIDs, feature.DID.String()) {
				return true
			}
		}
	}
	return false
}

// mention translates an event. It is normalised.
func (s *Source) mention(e *event, now time.Time) (sources.Mention, error) {
	m := sources.Mention{
		ID: e.id, Source: s.opt.Name, Network: "bluesky", Op: e.op, Kind: sources.Post, Author: sources.Author{ID: e.did}, CreatedAt: now,
	}
	if e.timeUS > 0 {
		m.CreatedAt = time.UnixMicro(e.timeUS)
	}
	switch {
	case e.op == sources.Delete:
		m.Author = sources.Author{}
	case e.repost:
		m.Kind, m.ParentID = sources.Share, part[ref](e.record.Subject).URI
	default:
		s.fillPost(&m, e)
	}
	return m, sources.Normalize(&m, now)
}

func (s *Source) fillPost(m *sources.Mention, e *event) {
	m.Text = e.record.Text.String()
	m.URL = "https://bsky.app/profile/" + e.did + "/post/" + e.rkey
	if langs := part[[]string](e.record.Langs); len(langs) > 0 {
		m.Lang = langs[0]
	}
	reply := part[struct{ Root, Parent ref }](e.record.Reply)
	if m.ParentID, m.RootID = reply.Parent.URI, reply.Root.URI; m.ParentID != "" {
		m.Kind = sources.Comment
	}
	switch kind := part[struct {
		Type sources.Loose `json:"$type"`
	}](e.record.Embed).Type; kind {
	case "app.bsky.embed.images", "app.bsky.embed.video", "app.bsky.embed.recordWithMedia":
		m.HasMedia = true
	}
	if e.tagged {
		m.Kind, m.Brand = sources.Tag, s.opt.Brand
	}
}
