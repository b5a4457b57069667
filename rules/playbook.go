package rules

import (
	"time"
)

// Cluster is how much responsibility people are likely to attribute to the brand (SCCT, Coombs 2007).
type Cluster string

// The clusters.
const (
	Victim      Cluster = "victim"
	Accidental  Cluster = "accidental"
	Preventable Cluster = "preventable"
)

// Playbook is what people of the brand agreed to say about one kind of trouble.
type Playbook struct {
	Pos        Pos
	ID         string
	Categories []string // it answers for these where a rule names no playbook
	Cluster    Cluster
	ClusterIf  []ClusterIf // the first that holds replaces Cluster
	Facts      PlaybookFacts
	Approve    map[Severity][]string // roles that must approve a draft
	Drafts     []Template
	DoNot      []string
	Embedded   bool // it is one of the library; a file's own takes its place
}

// ClusterIf is a cluster that is proposed where a condition on the incident holds.
type ClusterIf struct {
	When    *Expr
	Cluster Cluster
}

// PlaybookFacts are the facts a playbook starts an incident's fact sheet with.
type PlaybookFacts struct {
	Known       []string
	Checking    []string
	Instruction map[string]string // by language; "" is any language
	NextUpdate  NextUpdate
	Cleared     map[string]bool // cause, apology, refund, …
}

// NextUpdate says when and where people hear more.
type NextUpdate struct {
	In    time.Duration
	Where string
}

// Template is one reviewed text with slots.
type Template struct {
	Pos       Pos
	ID        string   // public-short, public-full, private, holding, positive, …
	Kind      string   // reply (default), holding_statement
	Networks  []string // families or networks; empty: all
	Languages []string
	Clusters  []Cluster // empty: all
	Address   string    // du, tú: the familiar form; empty: the one used to strangers
	Text      string
}
