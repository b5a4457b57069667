package rules

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// File is one rule file. Name is shown in problems.
type File struct {
	Name string
	Data []byte
}

// Options change how files are read. The zero value is right for most callers.
type Options struct {
	Now       time.Time // for the warning that a window has ended; zero: no such warning
	Notifiers []string  // known names for also and fallback; nil: not checked
	Networks  []string  // that the configured sources read, or that are pushed; nil: not checked
	Builtin   bool      // read the files by themselves, without the embedded library below them
}

// Parse reads rule files into one Set. It reports all problems of all files at once, sorted by place. If
// [Errors.Refused], the Set is nil; warnings leave it whole. Categories and playbooks of the embedded library lie below
// the files and may be changed or replaced by id; with no files at all the Set is [Starter].
//
// Parse takes foreign bytes: it never panics and takes time in proportion to what it reads.
func Parse(files []File, opt Options) (*Set, Errors) {
	l := newLoader(opt)
	hash := sha256.New()
	if !opt.Builtin {
		for _, p := range library() {
			hash.Write(p.Data)
		}
		l.library()
	}
	for _, f := range files {
		fmt.Fprintf(hash, "\x00%s\x00", f.Name)
		hash.Write(f.Data)
		l.read(f)
	}
	l.takePacks()
	l.lint()
	slices.SortStableFunc(l.errs, func(a, b *Error) int {
		return cmp.Or(
			cmp.Compare(l.order[a.Pos.File], l.order[b.Pos.File]),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	if l.errs.Refused() {
		return nil, l.errs
	}
	s := l.set
	s.Hash = fmt.Sprintf("%x", hash.Sum(nil))[:12]
	s.nameBrands()
	s.assignRules()
	s.index = newIndex(s)
	return s, l.errs
}

// library reads the embedded files.
func (l *loader) library() {
	l.builtin = true
	for _, p := range library() {
		l.begin(p.Name)
		l.top(p.root)
	}
	l.builtin = false
	l.set.starter, l.set.Rules = l.set.Rules, nil
}

// loader reads files into a Set and gathers their problems.
type loader struct {
	opt        Options
	set        *Set
	errs       Errors
	told       map[Error]bool // those in errs
	order      map[string]int // of the files, by name
	file       string         // the one being read
	builtin    bool           // it is one of the embedded ones
	spent      spent
	seen       map[string]Pos // "kind\x00id" of what the files define, for double ids
	refs       []reference    // checked when all is read
	awaited    []awaited      // as well
	forBrand   func() string  // of what expressions are read for
	disabled   map[string]bool
	ruleIDs    []string // those not run too
	signs      map[string][]string
	keys       map[string][]string     // of every kind of object that was read, if somebody wants to know
	budgetPos  map[string]Pos          // by route
	answerPos  map[string]answerPlaces // by sla
	perProduct map[*Rule]Pos           // where a rule says that it judges products
}

func newLoader(opt Options) *loader {
	return &loader{
		opt:       opt,
		told:      map[Error]bool{},
		order:     map[string]int{},
		seen:      map[string]Pos{},
		disabled:  map[string]bool{},
		forBrand:  func() string { return "" },
		budgetPos: map[string]Pos{}, perProduct: map[*Rule]Pos{},
		answerPos: map[string]answerPlaces{},
		set: &Set{
			Zone:       time.UTC,
			Brands:     map[string]*Brand{},
			Routes:     map[string]*Route{},
			Categories: map[string]*Category{},
			Playbooks:  map[string]*Playbook{},
			Budgets:    map[string]Budget{},
			counted:    map[string]bool{},
			Calendars:  map[string]*Calendar{},
			SLAs:       map[string]*SLA{},
		},
	}
}

// read reads one file.
func (l *loader) read(f File) {
	l.begin(f.Name)
	if len(f.Data) > MaxFile {
		l.add(LevelError, Pos{f.Name, 1, 1}, "limit", fmt.Sprintf("the file is larger than %d MB", MaxFile>>20), "it is read anew at each reload", "split it, and take out what nothing looks for")
		return
	}
	root, errs := ReadYAML(f)
	switch {
	case len(errs) > 0:
		l.errs = append(l.errs, errs...)
	case root == nil:
		l.add(LevelError, Pos{f.Name, 1, 1}, "syntax", "the file is empty", "", "begin with version: 1")
	default:
		l.top(root)
	}
}

func (l *loader) begin(file string) {
	l.file, l.spent.nodes = file, 0
	if _, ok := l.order[file]; !ok {
		l.order[file] = len(l.order)
	}
}

// top reads the outermost mapping.
func (l *loader) top(n *yaml.Node) {
	known := fields{
		"version":      l.version,
		"team":         func(v *yaml.Node) { l.set.Team = l.str(v) },
		"timezone":     func(v *yaml.Node) { l.set.Zone = l.zone(v) },
		"packs":        l.packs,
		"brands":       func(v *yaml.Node) { l.ids(v, "brand", l.brand) },
		"categories":   func(v *yaml.Node) { l.ids(v, "category", l.category) },
		"signs":        func(v *yaml.Node) { l.signs = l.changeWords(l.signs, v) },
		"routes":       func(v *yaml.Node) { l.ids(v, "route", l.route) },
		"budgets":      l.budgets,
		"rules":        func(v *yaml.Node) { l.list(v, l.rule) },
		"playbooks":    func(v *yaml.Node) { l.ids(v, "playbook", l.playbook) },
		"windows":      func(v *yaml.Node) { l.list(v, l.window) },
		"availability": func(v *yaml.Node) { l.ids(v, "calendar", l.calendar) },
		"sla":          func(v *yaml.Node) { l.ids(v, "sla", l.sla) },
		"tests":        l.tests,
	}
	if l.builtin {
		known["scope"] = l.scope
	}
	seen := l.object(n, "a rule file", known)
	if seen != nil && seen["version"] == nil {
		l.fail(n, "key", "version is missing", "it says which format the file is in", "begin the file with version: 1")
	}
}

func (l *loader) version(v *yaml.Node) {
	if v.Value != "1" {
		l.fail(v, "type", fmt.Sprintf("version %s is not known", v.Value), "this program reads version 1", "write version: 1")
	}
}

func (l *loader) packs(v *yaml.Node) {
	for _, n := range l.items(v) {
		id := l.str(n)
		if known := PackIDs(); id != "" && !slices.Contains(known, id) {
			l.fail(n, "E01", fmt.Sprintf("unknown pack %q", id), "", Suggest(id, known))
			continue
		}
		l.set.Packs = append(l.set.Packs, id)
	}
}

// takePacks reads the packs that the files ask for, besides the starter pack.
func (l *loader) takePacks() {
	own := l.set.Rules
	for _, p := range trades() {
		if slices.Contains(l.set.Packs, strings.TrimSuffix(path.Base(p.Name), ".yml")) {
			l.builtin, l.set.Rules = true, nil
			l.begin(p.Name)
			l.top(p.root)
			l.set.packed = append(l.set.packed, l.set.Rules...)
		}
	}
	l.builtin, l.set.Rules = false, own
}

func (l *loader) budgets(v *yaml.Node) {
	l.each(v, func(k, v *yaml.Node) {
		l.refer(k, "route", k.Value)
		l.set.Budgets[k.Value], l.budgetPos[k.Value] = l.budget(v), l.pos(k)
	})
}
