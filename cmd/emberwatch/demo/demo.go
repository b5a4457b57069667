// Package demo is a recorded crisis of a brand that does not exist, shipped in the binary so that anybody can see
// Emberwatch at work without an account anywhere.
//
// Fjellbryg makes coffee machines. [Recording] returns what people wrote about it: eight ordinary weeks with
// their praise, questions and odd complaints in seven languages, which teach the baselines, and then the Monday
// on which the water tanks of one model leak. [Rules] is the rule file the brand would have written before.
//
// The story, in minutes after [Begin]: the first three complaints between 25 and 45; then forty an hour after
// two hours, on two networks and in five languages; reviews in the app store and a news article in the fourth
// hour, two people who got an electric shock, a small campaign of copied posts, people who take the brand's
// side, its own late answers, and after five hours less of everything.
//
// The recording is data: a file of mentions in the form of the contract, compressed. The tests of this package
// hold the generator that wrote it, the texts it was made from, and the proof that both still agree
// (go test -run Recording -update writes it anew).
//
// The package never judges a mention and reads no clock: how fast the day passes is up to the command.
//
// # Caveats
//
// Every name, handle, address and number is invented; places that are real stand for nothing but themselves.
//
// An edit or a deletion has in created_at the time at which it happened, not that of the mention it changes: a
// replay knows no other clock than the order of the stream.
package demo

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"emberwatch/sources"
)

var (
	//go:embed crisis.ndjson.gz
	recording []byte

	//go:embed fjellbryg.yml
	ruleFile []byte
)

// Begin is when the time-lapse starts: a Monday, half past seven in Oslo. What lies before is history. It is not
// to be changed.
var Begin = time.Date(2026, 11, 9, 6, 30, 0, 0, time.UTC)

// Recording returns the recorded mentions, normalised and in the order of created_at: history lies before
// [Begin], crisis is the seven hours from then on. Each call decodes them anew. An error means that the
// build is broken.
func Recording() (history, crisis []sources.Mention, err error) {
	lines, err := unpack(recording)
	if err != nil {
		return nil, nil, fmt.Errorf("recorded crisis: %w", err)
	}
	all, rejected, err := sources.DecodeLines(lines, sources.DecodeOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("recorded crisis: %w", err)
	}
	if len(rejected) > 0 {
		return nil, nil, fmt.Errorf("recorded crisis: line %d: %s", rejected[0].Index+1, rejected[0].Error)
	}
	slices.SortFunc(all, byTime)
	at := slices.IndexFunc(all, func(m sources.Mention) bool { return !m.CreatedAt.Before(Begin) })
	if at <= 0 {
		return nil, nil, fmt.Errorf("recorded crisis: it lacks what comes before or after %s", Begin.Format(time.RFC3339))
	}
	return all[:at:at], all[at:], nil
}

// byTime puts mentions in the order of time. The file is in the order of the texts, which packs to half the size.
func byTime(a, b sources.Mention) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// Rules returns the rule file of the recorded brand. It takes in the starter rules and has no error; the copy is
// the caller's.
func Rules() []byte { return slices.Clone(ruleFile) }
