package rules

import (
	"fmt"
	"strings"
)

// Suggest returns a hint: the known word that is most like the one written, or all of them if they are few.
func Suggest(word string, known []string) string {
	best := Nearest(word, known)
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 0:
		return "there is none yet"
	case len(known) <= 20:
		return "known here: " + strings.Join(known, ", ")
	}
	return ""
}

// Nearest is the known word that is most like the one written; empty if none is like it.
func Nearest(word string, known []string) string {
	best, least := "", max(2, len(word)/3+1)
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to add, take away, exchange or swap with their neighbour to come from a
// to b. Words too different in length are not compared.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	const far = 1 << 20
	if len(x) > 64 || len(y) > 64 {
		return far
	}
	before, row := make([]int, len(y)+1), make([]int, len(y)+1)
	next := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		next[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(y)]
}
