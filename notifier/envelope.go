package notifier

import (
	"encoding/json"
	"fmt"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
)

// EnvelopeVersion is the version of an Envelope. Within a version fields are added, never changed or taken away.
const EnvelopeVersion = 1

// Envelope is a message for machines: what the notifiers webhook and command hand over, as JSON. Texts, names and links
// of mentions are foreign.
type Envelope struct {
	V         int                   `json:"v"`
	Key       string                `json:"key"`  // the same whenever the same alert is told again
	Type      detector.AlertKind    `json:"type"` // root, edit, thread, broadcast
	Reason    detector.NotifyReason `json:"reason"`
	Severity  rules.Severity        `json:"severity"` // 1 crisis to 4 notice, when it was raised
	Note      string                `json:"note,omitempty"`
	Route     string                `json:"route"`
	RaisedAt  time.Time             `json:"raised_at"`
	Incident  *EnvelopeIncident     `json:"incident,omitempty"` // of all but a digest
	Digest    []EnvelopeIncident    `json:"digest,omitempty"`   // the gravest first
	Mentions  []EnvelopeMention     `json:"mentions,omitempty"` // the most telling first
	Escalates *EnvelopeStep         `json:"escalates,omitempty"`
}

// EnvelopeIncident is an incident as it is when the message is made.
type EnvelopeIncident struct {
	ID        string            `json:"id"`
	Brand     string            `json:"brand"`
	BrandName string            `json:"brand_name"`
	Version   int               `json:"version"`
	Title     string            `json:"title"`
	Sentence  string            `json:"sentence"`
	Severity  rules.Severity    `json:"severity"`
	Level     rules.Severity    `json:"level"` // what the data says now; 0: calm
	Why       string            `json:"why,omitempty"`
	Handling  detector.Handling `json:"handling"`
	Owner     string            `json:"owner,omitempty"`
	Closing   detector.Closing  `json:"closing,omitempty"`
	Rule      string            `json:"rule"`
	Signal    string            `json:"signal"`
	Category  string            `json:"category,omitempty"`
	Observed  float64           `json:"observed"`
	Expected  float64           `json:"expected"`
	Window    string            `json:"window,omitempty"`
	Authors   int               `json:"authors"`
	Since     time.Time         `json:"since,omitzero"`
	OpenedAt  time.Time         `json:"opened_at,omitzero"`
	ChangedAt time.Time         `json:"changed_at,omitzero"`
	Link      string            `json:"link,omitempty"` // to its page
}

// EnvelopeMention is one mention behind an incident. Direct messages are there only on private routes.
type EnvelopeMention struct {
	ID        string    `json:"id"`
	Source    string    `json:"source"`
	Network   string    `json:"network,omitempty"`
	Kind      string    `json:"kind"`
	Lang      string    `json:"lang"`
	Title     string    `json:"title,omitempty"`
	Text      string    `json:"text,omitempty"`
	Author    string    `json:"author,omitempty"`
	URL       string    `json:"url,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// EnvelopeStep is who is told next, and when, if nobody acknowledges.
type EnvelopeStep struct {
	At time.Time `json:"at"`
	To string    `json:"to"`
}

// Envelope returns the message for machines.
func (m *Message) Envelope() Envelope {
	a := &m.Alert
	e := Envelope{
		V: EnvelopeVersion, Key: a.Key, Type: a.Kind, Reason: a.Reason, Severity: a.Severity, Note: a.Note,
		Route: a.Route, RaisedAt: a.CreatedAt.UTC(),
	}
	if m.Incident.ID != "" {
		i := enclose(&m.Incident, BrandName(m.Brand))
		i.Link = m.Link
		e.Incident = &i
	}
	for k := range m.Digest {
		e.Digest = append(e.Digest, enclose(&m.Digest[k].Incident, m.Digest[k].Brand))
	}
	for k := range m.Quotes {
		e.Mentions = append(e.Mentions, encloseMention(&m.Quotes[k]))
	}
	if m.Next != nil {
		e.Escalates = &EnvelopeStep{m.Next.At.UTC(), m.Next.To}
	}
	return e
}

// EncodeEnvelope returns the message for machines as JSON.
func EncodeEnvelope(m *Message) ([]byte, error) {
	b, err := json.Marshal(m.Envelope())
	if err != nil {
		return nil, fmt.Errorf("encode alert %s: %w", m.Alert.Key, err)
	}
	return b, nil
}

func enclose(i *detector.Incident, brand string) EnvelopeIncident {
	w := &i.Evidence.Window
	e := EnvelopeIncident{
		ID: i.ID, Brand: i.Brand, BrandName: brand, Version: i.Version, Title: i.Title, Sentence: i.Sentence,
		Severity: i.Severity, Level: i.Level, Why: i.SeverityWhy, Handling: i.Handling, Owner: i.Owner, Closing: i.Closing,
		Rule: i.Rule, Signal: i.Signal, Category: i.Category, Observed: w.Observed, Expected: w.Expected,
		Authors: i.Evidence.Authors, Since: i.Since.UTC(), OpenedAt: i.OpenedAt.UTC(), ChangedAt: i.ChangedAt.UTC(),
	}
	if w.Length > 0 {
		e.Window = w.Length.String()
	}
	return e
}

func encloseMention(j *detector.Judged) EnvelopeMention {
	m := &j.Mention
	author := m.Author.Handle
	if author == "" {
		author = m.Author.Name
	}
	return EnvelopeMention{
		ID: m.ID, Source: m.Source, Network: m.Network, Kind: string(m.Kind), Lang: j.Lang, Title: m.Title, Text: m.Text,
		Author: author, URL: m.URL, CreatedAt: m.CreatedAt.UTC(),
	}
}
