package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strings"
	"time"

	"emberwatch/detector"
)

const (
	chartHours  = 48
	chartWidth  = 720
	chartHeight = 180
	chartLeft   = 34 // room for the numbers of the scale
	chartTop    = 12
	chartBottom = 24 // room for the hours
)

// chartStyle is the only inline style there is; chartPolicy allows it by its hash. Colours cannot come
// from the page's style sheet, because an image knows nothing of the page around it.
const chartStyle = `text{font:11px system-ui,sans-serif;fill:#5b6470}.grid{stroke:#d9dde3}.all{fill:#b9c3cf}` +
	`.neg{fill:#b3261e}.since{stroke:#1c2430;stroke-dasharray:3 3}` +
	`@media(prefers-color-scheme:dark){text{fill:#a3adba}.grid{stroke:#333b46}.all{fill:#4a5563}.neg{fill:#ff7a6e}.since{stroke:#e6e9ee}}`

var chartPolicy = func() string {
	sum := sha256.Sum256([]byte(chartStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; frame-ancestors 'none'; base-uri 'none'"
}()

// chart answers with a picture of the last 48 hours of the incident's brand.
func (s *Server) chart(w http.ResponseWriter, r *http.Request, _ person) error {
	i, err := s.c.Reader.Incident(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	bs, err := s.brands(r.Context())
	if err != nil {
		return err
	}
	end := chartEnd(&i, s.c.Now())
	from := end.Add(-chartHours * time.Hour)
	counts, err := s.c.Reader.Counts(r.Context(), i.Brand, from, end, time.Hour)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", chartPolicy)
	w.Header().Set("Content-Type", "image/svg+xml; charset=utf-8")
	_, _ = w.Write(s.voice(r).drawChart(names(bs).name(i.Brand), hourly(counts, from), from, i.Since))
	return nil
}

// chartEnd is the end of the last hour that is drawn: now, or some hours after an incident was closed.
func chartEnd(i *detector.Incident, now time.Time) time.Time {
	end := now
	if closed := i.ClosedAt.Add(6 * time.Hour); !i.Open() && closed.Before(now) {
		end = closed
	}
	return end.UTC().Truncate(time.Hour).Add(time.Hour)
}

// hourly puts counts in their hours; those that are missing are zero.
func hourly(counts []detector.Count, from time.Time) (hours [chartHours]detector.Count) {
	for k := range hours {
		hours[k].At = from.Add(time.Duration(k) * time.Hour)
	}
	for _, c := range counts {
		if k := int(math.Floor(c.At.Sub(from).Hours())); k >= 0 && k < chartHours {
			hours[k].All += max(c.All, 0)
			hours[k].Negative += max(c.Negative, 0)
		}
	}
	return hours
}

// drawChart draws one bar an hour, the negative part of it apart, and a line where the incident began.
func (v voice) drawChart(brand string, hours [chartHours]detector.Count, from, since time.Time) []byte {
	const high = chartHeight - chartTop - chartBottom
	const step = float64(chartWidth-chartLeft) / chartHours
	top := 0
	for _, h := range hours {
		top = max(top, h.All, h.Negative)
	}
	scale := roundUp(top)
	y := func(n int) float64 { return chartTop + high - float64(n)*high/float64(scale) }

	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="t d"><title id="t">%s</title><desc id="d">%s</desc><style>%s</style>`,
		chartWidth, chartHeight, xmlText(v.Say("page.chart", "brand", brand)), xmlText(v.describe(hours)), chartStyle)
	for _, n := range []int{0, scale / 2, scale} {
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`,
			chartLeft, chartWidth, y(n), y(n), chartLeft-6, y(n)+4, v.count(n))
	}
	for k, h := range hours {
		x := chartLeft + float64(k)*step
		bar(&b, "all", x, y(h.All), step, y(0))
		bar(&b, "neg", x, y(h.Negative), step, y(0))
		if t := h.At.In(v.zone); t.Hour()%12 == 0 && k < chartHours-6 {
			fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s</text>`, x, chartHeight-6, xmlText(t.Format(v.Say("page.date")+" 15:04")))
		}
	}
	if k := since.Sub(from).Hours(); k >= 0 && k <= chartHours {
		fmt.Fprintf(&b, `<line class="since" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, chartLeft+k*step, chartLeft+k*step, chartTop, chartTop+high)
	}
	b.WriteString("</svg>")
	return b.Bytes()
}

func bar(b *bytes.Buffer, class string, x, top, step, bottom float64) {
	if top < bottom {
		fmt.Fprintf(b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, class, x+1, top, step-2, bottom-top)
	}
}

// roundUp returns the end of a scale that holds n: an even number that people like to read.
func roundUp(n int) int {
	for unit := 1; ; unit *= 10 {
		for _, m := range []int{2, 4, 6, 10} {
			if n <= m*unit {
				return m * unit
			}
		}
	}
}

// describe says in words what the chart shows, for those who do not see it.
func (v voice) describe(hours [chartHours]detector.Count) string {
	var all, negative, peak int
	for k, h := range hours {
		all += h.All
		negative += h.Negative
		if h.Negative > hours[peak].Negative {
			peak = k
		}
	}
	if all == 0 {
		return v.Say("page.chart.none")
	}
	if negative == 0 {
		return v.Say("page.chart.calm", "mentions", v.Count("mentions", all))
	}
	return v.Say("page.chart.peak", "mentions", v.Count("mentions", all), "negative", v.count(negative),
		"peak", v.count(hours[peak].Negative), "when", hours[peak].At.In(v.zone).Format(v.Say("page.date")+" 15:04 MST"))
}

// xmlText escapes foreign text for XML, and drops what XML does not know.
func xmlText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return template.HTMLEscapeString(s)
}
