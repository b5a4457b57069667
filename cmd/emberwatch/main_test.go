package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the program as well: under the name emberwatch, which it puts first into
// PATH, it runs main. So scripts and tests start it as a process of its own, with real signals, files and exit
// codes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"emberwatch": main})
}
