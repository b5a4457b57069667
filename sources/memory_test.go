package sources_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"emberwatch/sources"
)

// held is how many bytes of the heap are reachable.
func held() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A part of a string keeps all of it in memory. Five hundred mentions are handed over at once, and their ids stay
// for weeks: they must not hold on to the megabyte that each was cut from.
func TestMentionsHoldOnToNothingBesideThemselves(t *testing.T) {
	const n, size = 10, 1 << 20
	long, gap := strings.Repeat("x ", size/2), strings.Repeat(" ", size)
	columns, _ := sources.NewColumns([]string{"id", "text", "created_at", "remarks"})
	for name, mention := range map[string]func(i int) (sources.Mention, error){
		"a long text": func(int) (sources.Mention, error) {
			return sources.DecodeMention([]byte(minimal(`,"text":"`+long+`"`)), defaults)
		},
		"a long text of other letters": func(int) (sources.Mention, error) {
			return sources.DecodeMention([]byte(minimal(`,"text":"`+strings.Repeat("ж ", size/3)+`"`)), defaults)
		},
		"spaces around words": func(int) (sources.Mention, error) {
			return sources.DecodeMention([]byte(minimal(`,"kind":"tag`+gap+`","url":"https://e.org/`+gap+`","author":{"name":"a`+gap+`"}`)), defaults)
		},
		"a long row": func(i int) (sources.Mention, error) {
			row := strings.Clone(fmt.Sprintf("%03d", i) + "text2026-11-16T07:00:00Z" + long)
			return columns.Decode([]string{row[:3], row[3:7], row[7:27], row[27:]}, defaults)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := held()
			var ms []sources.Mention
			for i := range n {
				m, err := mention(i)
				if err != nil {
					t.Fatal(err)
				}
				ms = append(ms, m)
			}
			if grew := held() - before; grew > n*size/8 {
				t.Errorf("%d mentions hold %d kB each", len(ms), grew/n>>10)
			}
			runtime.KeepAlive(ms)
		})
	}
}
