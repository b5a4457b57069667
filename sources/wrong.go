package sources

import (
	"errors"
	"fmt"
)

// Wrong gathers what is wrong with the options of a source, so that all of it is told at once. Each problem begins with the
// key of the configuration that it is about.
type Wrong struct {
	Source string // its name
	errs   []error
}

// If notes a problem if there is one.
func (w *Wrong) If(bad bool, format string, args ...any) {
	if bad {
		w.errs = append(w.errs, fmt.Errorf("source %s: "+format, append([]any{w.Source}, args...)...))
	}
}

// Err is all of them, a line each; nil if there are none.
func (w *Wrong) Err() error { return errors.Join(w.errs...) }
