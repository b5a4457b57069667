package console

import (
	"strings"

	"github.com/rivo/uniseg"

	"emberwatch/notifier"
)

// clean returns foreign text as one line that a terminal only shows.
func clean(s string) string { return notifier.Plain(s) }

// Clean is for commands that print foreign text by themselves: one line that a terminal only shows.
func Clean(s string) string { return clean(s) }

// cut shortens a clean text to width columns.
func cut(s string, width int) string {
	if uniseg.StringWidth(s) <= width {
		return s
	}
	var b strings.Builder
	room := width - 1
	for g := uniseg.NewGraphemes(s); g.Next(); {
		if room -= g.Width(); room < 0 {
			break
		}
		b.WriteString(g.Str())
	}
	return strings.TrimRight(b.String(), " ") + "…"
}

// wrap breaks a clean text into lines of width columns, where writing allows it: at blanks, and between
// the characters of scripts that have none. A word that is too long is broken anywhere.
func wrap(s string, width int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
		line.Reset()
		used = 0
	}
	for state, segment := -1, ""; s != ""; {
		segment, s, _, state = uniseg.FirstLineSegmentInString(s, state)
		if w := uniseg.StringWidth(strings.TrimRight(segment, " ")); used > 0 && used+w > width {
			flush()
		}
		for g := uniseg.NewGraphemes(segment); g.Next(); {
			if used+g.Width() > width && g.Str() != " " {
				flush()
			}
			line.WriteString(g.Str())
			used += g.Width()
		}
	}
	if used > 0 {
		flush()
	}
	return lines
}
