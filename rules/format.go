package rules

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
)

// Format returns the problems for a terminal: each in one line as Error has it, a warning marked as such at its end, then the
// line of its file with a mark below the place. What it quotes comes from the files; control characters are shown as dots.
func Format(errs Errors, files []File) string {
	lines := map[string][]string{}
	for _, f := range files {
		lines[f.Name] = strings.Split(string(Decoded(f.Data)), "\n")
	}
	var b strings.Builder
	for _, e := range errs {
		mark := ""
		if e.Level == LevelWarning {
			mark = " (warning)"
		}
		fmt.Fprintln(&b, printable(e.Error())+mark)
		if of := lines[e.Pos.File]; e.Pos.Line >= 1 && e.Pos.Line <= len(of) {
			excerpt(&b, e.Pos, of[e.Pos.Line-1])
		}
	}
	return b.String()
}

// widest is how many letters of a line are shown.
const widest = 110

// excerpt writes a line and the mark under its column. Of a long line it shows the part around the column.
func excerpt(b *strings.Builder, pos Pos, line string) {
	runes := []rune(strings.TrimRight(line, "\r"))
	col := min(max(pos.Col-1, 0), len(runes))
	from := max(0, col-widest*2/3)
	to := min(len(runes), from+widest)
	head, tail := printable(string(runes[from:col])), printable(string(runes[col:to]))
	fmt.Fprintf(b, "%6d | %s%s\n", pos.Line, head, tail)
	fmt.Fprintf(b, "       | %s^\n", strings.Repeat(" ", uniseg.StringWidth(head)))
}

// printable makes text safe for a terminal: tabs as spaces, what is invisible or steers it as dots.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20, 0x7F <= r && r < 0xA0, isIgnorable(r) && r != zwj && !isVariation(r):
			return '·'
		}
		return r
	}, s)
}
