package topics

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"emberwatch/detector"
)

func nouns(sentence []string) ([]string, error) {
	return slices.Repeat([]string{"NN"}, len(sentence)), nil
}

// english is an incident about a broken zipper, in which too few say "broken zipper" for the pair to stand for
// "zipper" by numbers alone.
func english() *scenario {
	s := scenarios[0]
	s.incident.about = []string{
		"The broken zipper on my * is a joke, @fjellbryg", "Zipper came off after two days. *",
		"My son's zipper got stuck, * https://example.org/a", "No refund for a zipper? *",
	}
	return &s
}

// statistical is what the English scenario gives without the tagger.
func statistical(t *testing.T) []detector.Topic {
	return english().run(newFinder(t, Options{Plain: true}), 3)
}

func TestPlainNeverLoadsTheTagger(t *testing.T) {
	got := statistical(t)
	if len(got) == 0 || got[0].Words != "zipper" {
		t.Errorf("want zipper first, got %v", wordsOf(got))
	}
}

// TestTaggerFails: whatever happens behind the guard, the statistical topics are there.
func TestTaggerFails(t *testing.T) {
	tags := map[string]tagFunc{
		"panics":          func([]string) ([]string, error) { panic("slice bounds out of range") },
		"fails":           func([]string) ([]string, error) { return nil, errors.New("no") },
		"miscounts":       func([]string) ([]string, error) { return []string{"NN"}, nil },
		"does not load":   nil,
		"is far too slow": func(s []string) ([]string, error) { time.Sleep(time.Hour); return nouns(s) },
	}
	for name, tag := range tags {
		t.Run(name, func(t *testing.T) {
			want := statistical(t)
			synctest.Test(t, func(t *testing.T) {
				f := New(Options{})
				f.tags.load = func() tagFunc { return tag }
				for range 2 {
					if got := english().run(f, 3); !slices.Equal(got, want) {
						t.Errorf("want %v, got %v", want, got)
					}
				}
				if err := f.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestLoadPanics: a model that cannot be decoded is tried once.
func TestLoadPanics(t *testing.T) {
	f, tries := newFinder(t, Options{}), 0
	f.tags.load = func() tagFunc { tries++; panic("gob: bad data") }
	for range 3 {
		if got := english().run(f, 3); !slices.Equal(got, statistical(t)) {
			t.Errorf("got %v", got)
		}
		waitIdle(t, f)
	}
	if tries != 1 {
		t.Errorf("loaded %d times", tries)
	}
}

// waitIdle waits until the worker has given the slot back.
func waitIdle(t *testing.T, f *Finder) {
	t.Helper()
	select {
	case f.tags.slot <- struct{}{}:
		<-f.tags.slot
	case <-time.After(10 * time.Second):
		t.Fatal("the worker does not end")
	}
}

// TestOnePoisonedSentence: a text on which the tagger panics costs its own phrases only. In a bubble, the tagger's
// own time does not count: a busy machine cannot fail this test.
func TestOnePoisonedSentence(t *testing.T) {
	tag := loadProse()
	synctest.Test(t, func(t *testing.T) {
		f := newFinder(t, Options{})
		f.tags.load = func() tagFunc {
			return func(s []string) ([]string, error) {
				if slices.Contains(s, "poison") {
					panic("slice bounds out of range")
				}
				return tag(s)
			}
		}
		in := append([]detector.Text{{Body: "poison", Lang: "en"}}, english().incident.texts("en")...)
		got := f.Topics(in, english().ordinary.texts("en"), english().names, 1)
		if len(got) != 1 || got[0].Words != "broken zipper" {
			t.Errorf("got %v", wordsOf(got))
		}
	})
}

// TestTimeouts: loading has a longer time once; tagging has a short one for the whole incident; while a worker hangs
// others do not wait at all.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := New(Options{})
		f.tags.load = func() tagFunc {
			time.Sleep(loadTimeout / 2)
			return func(s []string) ([]string, error) { <-release; return nouns(s) }
		}
		took := func() time.Duration {
			start := time.Now()
			if got := english().run(f, 3); len(got) == 0 {
				t.Error("no topics")
			}
			return time.Since(start)
		}
		if d := took(); d != loadTimeout/2+tagTimeout {
			t.Errorf("the first call took %v", d)
		}
		if d := took(); d != 0 {
			t.Errorf("a call while the worker hangs took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close while the worker hangs: %v", err)
		}
		close(release)
		if err := f.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
		if d := took(); d != 0 {
			t.Errorf("a call after close took %v", d)
		}
	})
}

// TestSlowModel: an incident that does not wait for the model leaves it to the next.
func TestSlowModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Options{})
		f.tags.load = func() tagFunc { time.Sleep(2 * loadTimeout); return nouns }
		first := english().run(f, 3)
		time.Sleep(2 * loadTimeout)
		second := english().run(f, 3)
		if first[0].Words != "zipper" || second[0].Words != "broken zipper" {
			t.Errorf("got %v, then %v", wordsOf(first), wordsOf(second))
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestProseTags: what the tagger says of repeated and split words is not taken.
func TestProseTags(t *testing.T) {
	tag := loadProse()
	for _, tt := range []struct{ sentence, want string }{
		{"the zipper broke", "DT NN VBD"},
		{"the fish and the fish can fish it", "- - CC DT - MD VB PRP"},
		{"it's a broken zipper .", "- DT JJ NN ."},
		{"'s", "POS"},
		{"", ""},
	} {
		got, err := tag(strings.Fields(tt.sentence))
		if err != nil {
			t.Errorf("%q: %v", tt.sentence, err)
			continue
		}
		for i := range got {
			if got[i] == "" {
				got[i] = "-"
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q: want %s, got %s", tt.sentence, tt.want, s)
		}
	}
}
