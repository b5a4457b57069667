package detector

import (
	"slices"
	"time"
)

// figureDays is how many days the figures of a team look back.
const figureDays = 14

// AnswerDay is how the complaints of one day fared, by when that was decided: they were answered, or a day went by.
type AnswerDay struct {
	Day     int64 `json:"d"` // since the Unix epoch, UTC
	Decided int   `json:"n"`
	Hour    int   `json:"h,omitempty"` // answered within an hour
	InDay   int   `json:"i,omitempty"` // answered within a day
}

// AnswerFigures are a team's: which share of complaints it answers within an hour, and within a day. 40% of consumers
// expect the one, 79% the other.
type AnswerFigures struct {
	Of   int     `json:"of"` // complaints of the last 14 days, or of the period asked for
	Hour float64 `json:"hour"`
	Day  float64 `json:"day"`
}

// What consumers expect.
const (
	ExpectHour = 0.40
	ExpectDay  = 0.79
)

// Sentence says both figures beside what consumers expect.
func (a *AnswerFigures) Sentence() string {
	return Clause{Code: "figures", N: a.Of, Answers: a}.String()
}

// decide books what became of a complaint: it was answered at a time, or, if that is zero, not within a day.
func (m *Model) decide(b *brand, w *complaint, at time.Time) {
	if w.Counted {
		return
	}
	for _, x := range b.waitingOf(w.Key) {
		x.Counted = true // by other rules too
	}
	today := m.now.Unix() / int64(24*time.Hour/time.Second)
	days := slices.DeleteFunc(slices.Clone(b.state.Answers), func(d AnswerDay) bool { return d.Day <= today-figureDays })
	if len(days) == 0 || days[len(days)-1].Day < today {
		days = append(days, AnswerDay{Day: today})
	}
	d := &days[len(days)-1]
	d.Decided++
	if wait := at.Sub(w.At); !at.IsZero() && wait <= withinDay {
		d.InDay++
		if wait <= withinHour {
			d.Hour++
		}
	}
	b.state.Answers = days
	m.touchBrand(b)
}

// figures adds the days up; nil while nothing is decided.
func (b *brand) figures() *AnswerFigures { return b.state.AnswerFigures() }

// AnswerFigures adds the days up; nil while nothing is decided.
func (b *BrandState) AnswerFigures() *AnswerFigures { return addedUp(b.Answers) }

// AnswerFiguresIn adds up the days of a period, as far as they are still known: a day belongs to it if its noon (UTC) does,
// so that seven days are seven in every time zone. Nil if nothing was decided.
func (b *BrandState) AnswerFiguresIn(from, to time.Time) *AnswerFigures {
	return addedUp(slices.DeleteFunc(slices.Clone(b.Answers), func(d AnswerDay) bool {
		noon := time.Unix(0, 0).Add(time.Duration(d.Day)*24*time.Hour + 12*time.Hour)
		return noon.Before(from) || !noon.Before(to)
	}))
}

func addedUp(days []AnswerDay) *AnswerFigures {
	n, hour, day := 0, 0, 0
	for _, d := range days {
		n, hour, day = n+d.Decided, hour+d.Hour, day+d.InDay
	}
	if n == 0 {
		return nil
	}
	return &AnswerFigures{Of: n, Hour: float64(hour) / float64(n), Day: float64(day) / float64(n)}
}
