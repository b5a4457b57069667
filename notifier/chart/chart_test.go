package chart

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
)

var began = time.Date(2026, 11, 16, 7, 20, 0, 0, time.UTC)

// surge is a day of few complaints, and a morning of many.
func surge(signal string) *detector.Course {
	c := &detector.Course{Signal: signal, Step: 30 * time.Minute, Since: began, Now: began.Add(90 * time.Minute)}
	start := began.Add(90*time.Minute - 24*time.Hour)
	for k := range 48 {
		at := start.Add(time.Duration(k) * c.Step)
		usual := 1.5 + math.Sin(float64(at.Hour()-8)/24*2*math.Pi)
		s := detector.CourseStep{At: at, Count: math.Round(usual * float64(k%3) / 2), Expected: usual, High: math.Round(3 * usual)}
		if !at.Before(began.Add(-10 * time.Minute)) {
			s.Count = []float64{11, 19, 23, 17}[min(3, k-45+1)]
		}
		c.Steps = append(c.Steps, s)
	}
	return c
}

func TestAChartSaysWhatItShows(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		lang, signal, title, alt string
	}{
		{"en", "negative", "Negative mentions per 30 min", "Chart of negative mentions per 30 min over 24 hours. The peak is 23 in the half hour from 08:50 CET; "},
		{"de", "category:delivery", "Negative Erwähnungen über Lieferung je 30 Min.", "Seit 08:20 CET."},
		{"en", "category:доставка", "Negative mentions about доставка per 30 min", "доставка"},
		{"en", "category:توصيل", "Mentions per 30 min", "The peak is 23"},
	} {
		got, err := Draw(surge(c.signal), Options{Language: (*notifier.Languages)(nil).In(c.lang), Zone: oslo})
		if err != nil {
			t.Fatal(err)
		}
		if got.Title != c.title || !strings.Contains(got.Alt, c.alt) {
			t.Errorf("%q, %q", got.Title, got.Alt)
		}
		if dir := os.Getenv("CHARTS"); dir != "" {
			if err := os.WriteFile(dir+"/"+c.lang+"-"+strings.ReplaceAll(c.signal, ":", "-")+".png", got.PNG, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWhatStandsOutIsDrawnSo looks at the picture where it matters: the surge is red, the quiet day is not, and behind
// the bars lies the usual range.
func TestWhatStandsOutIsDrawnSo(t *testing.T) {
	c := surge("negative")
	got, err := Draw(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(got.PNG))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b != image.Rect(0, 0, width, height) || len(got.PNG) > 60_000 {
		t.Errorf("%v, %d bytes", b, len(got.PNG))
	}
	p, err := newPlot(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(k int, v float64) color.Color {
		s := c.Steps[k]
		return img.At(int((p.x(s.At)+p.x(s.At.Add(c.Step)))/2), int(p.y(v)))
	}
	for _, x := range []struct {
		what string
		got  color.Color
		want paint
	}{
		{"the surge", at(46, 10), above},
		{"a quiet step", at(4, 0.5), counted},
		{"the usual range", at(3, c.Steps[3].High-0.4), usual},
		{"what nothing reaches", at(4, p.scale-2), paper},
	} {
		if color.RGBAModel.Convert(x.got) != x.want {
			t.Errorf("%s is %v, want %v", x.what, x.got, x.want)
		}
	}
	again, err := Draw(c, Options{})
	if err != nil || !bytes.Equal(again.PNG, got.PNG) {
		t.Error("the same course gives another picture")
	}
}

func TestOddCoursesAreDrawn(t *testing.T) {
	if _, err := Draw(&detector.Course{Signal: "negative"}, Options{}); err == nil {
		t.Error("nothing was drawn without an error")
	}
	one := &detector.Course{Signal: "all", Step: time.Minute, Steps: []detector.CourseStep{{At: began, Count: 1e9, High: 1}}}
	if _, err := Draw(one, Options{}); err != nil {
		t.Error(err)
	}
	huge := surge("negative")
	for k := range huge.Steps {
		huge.Steps[k].Count = 0
	}
	if _, err := Draw(huge, Options{}); err != nil {
		t.Error(err)
	}
}

// TestNothingLeavesThePicture: long titles in German, numbers of six digits, a peak at the very end, and an incident that
// began before the picture. The margins stay blank.
func TestNothingLeavesThePicture(t *testing.T) {
	for name, change := range map[string]func(*detector.Course){
		"as it is": func(*detector.Course) {},
		"much": func(c *detector.Course) {
			for k := range c.Steps {
				c.Steps[k].Count *= 16000
			}
			c.Steps[47].Count = 361_020
		},
		"few":        func(c *detector.Course) { c.Steps[46].Count, c.Steps[47].Count = 1, 3 },
		"a long one": func(c *detector.Course) { c.Since = began.Add(-60 * time.Hour) },
		"a young one": func(c *detector.Course) {
			c.Steps = c.Steps[44:]
		},
	} {
		c := surge("category:billing_refund")
		change(c)
		got, err := Draw(c, Options{Language: (*notifier.Languages)(nil).In("de")})
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(got.PNG))
		if err != nil {
			t.Fatal(err)
		}
		for y := range height {
			for _, x := range []int{0, 4, width - 5, width - 1} {
				if color.RGBAModel.Convert(img.At(x, y)) != paper {
					t.Fatalf("%s: something is at %d, %d", name, x, y)
				}
			}
		}
	}
}

func TestWhenItBeganIsNamedWithItsDayOrDate(t *testing.T) {
	for ago, want := range map[time.Duration]string{
		time.Hour: "Since 07:50 UTC.", 24 * time.Hour: "Since Sunday 08:50 UTC.", 5 * 24 * time.Hour: "Since Wednesday 08:50 UTC.",
		9 * 24 * time.Hour: "Since 2026-11-07 08:50 UTC.",
	} {
		c := surge("negative")
		c.Since = c.Now.Add(-ago)
		if got, err := Draw(c, Options{}); err != nil || !strings.HasSuffix(got.Alt, want) {
			t.Errorf("%s ago: %v %q, want %q", ago, err, got.Alt, want)
		}
	}
}

func TestScalesEndAtRoundNumbers(t *testing.T) {
	for v, want := range map[float64]float64{4: 4, 5: 6, 11: 20, 23: 30, 41: 50, 61: 80, 99: 100, 101: 200} {
		if got := roundUp(v); got != want {
			t.Errorf("%g ends at %g, want %g", v, got, want)
		}
	}
}
