package rules

import (
	"fmt"
	"strings"
)

// Pos is a place in a rule file; lines and columns count from 1.
type Pos struct {
	File string
	Line int
	Col  int
}

// String returns file:line:col.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Level says whether a problem refuses the file.
type Level string

// The levels of a problem. Warnings never refuse a file.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
)

// Error is one problem in a rule file. What says what is wrong, Why says why it matters, Hint how to repair it.
type Error struct {
	Pos   Pos
	ID    string // E01, W03, …; "syntax", "limit", "key", "type" for problems of form; see [Problems]
	Level Level
	What  string
	Why   string
	Hint  string
}

// Error returns the problem as one line: file:line:col: id: what; why; how to repair.
func (e *Error) Error() string {
	parts := []string{e.What}
	for _, s := range []string{e.Why, e.Hint} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return fmt.Sprintf("%s: %s: %s", e.Pos, e.ID, strings.Join(parts, "; "))
}

// Errors are all problems of the files that were read together, in the order of their places.
type Errors []*Error

// Error returns one line for each problem.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Refused reports whether at least one problem is an error rather than a warning.
func (es Errors) Refused() bool {
	for _, e := range es {
		if e.Level == LevelError {
			return true
		}
	}
	return false
}
