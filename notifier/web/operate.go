package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"emberwatch/detector"
	"emberwatch/rules"
)

const (
	longestSnooze = 7 * 24 * time.Hour
	longestKey    = 200  // bytes of an Idempotency-Key
	longestNote   = 4000 // characters
	longestName   = 80
)

// operations are all that people may ask for, in the order of the contract.
var operations = []detector.Operation{
	detector.OpAck, detector.OpUnack, detector.OpAssign, detector.OpSnooze, detector.OpResolve,
	detector.OpFalseAlarm, detector.OpKnownEvent, detector.OpReopen, detector.OpNote, detector.OpSeverity,
	detector.OpMerge, detector.OpSplit, detector.OpAnswered, detector.OpFacts,
}

// command is the body of an operation's request: its arguments, and who asks, having seen what.
type command struct {
	detector.Args
	ExpectedVersion int    `json:"expected_version"`
	As              string `json:"as"`
}

// refusedResult answers an operation that was refused.
type refusedResult struct {
	Error string `json:"error"`
	detector.Result
}

func (s *Server) postOperation(w http.ResponseWriter, r *http.Request, p person) error {
	c, err := readCommand(w, r)
	if err != nil {
		return err
	}
	id, err := eventID(r)
	if err != nil {
		return err
	}
	res, err := s.respond(r.Context(), detector.Event{
		ID: id, Incident: r.PathValue("id"), Op: detector.Operation(r.PathValue("op")),
		Expected: c.ExpectedVersion, Actor: actorOf(r, p, c.As), Args: c.Args,
	})
	switch {
	case err != nil:
		return err
	case res.Outcome == detector.Refused:
		writeJSON(w, http.StatusConflict, refusedResult{res.Message, res})
	default:
		writeJSON(w, http.StatusOK, res)
	}
	return nil
}

// readCommand reads the body, which may be empty.
func readCommand(w http.ResponseWriter, r *http.Request) (c command, err error) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, formLimit))
	d.DisallowUnknownFields()
	switch err = d.Decode(&c); {
	case errors.Is(err, io.EOF):
		return c, nil
	case errors.As(err, new(*http.MaxBytesError)):
		return c, err
	case err != nil:
		return c, badRequest("the body cannot be read: %v; send one JSON object such as {\"for\":\"4h\",\"note\":\"…\"}", err)
	case d.More():
		return c, badRequest("the body holds more than one JSON object")
	}
	return c, nil
}

// eventID returns what makes the request idempotent, or a random id.
func eventID(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > longestKey || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", badRequest("the Idempotency-Key has to be up to %d ASCII characters without blanks", longestKey)
	}
	if key == "" {
		return "http-" + rand.Text(), nil
	}
	return key, nil
}

// actorOf is who makes a request of the API, by the name in its body or else in its header.
func actorOf(r *http.Request, p person, claim string) detector.Actor {
	if claim == "" {
		claim = r.Header.Get("X-Emberwatch-Actor")
	}
	via := "http"
	if r.Header.Get("X-Emberwatch-Via") == "cli" {
		via = "cli"
	}
	return actor(p, claim, via)
}

// actor says who did it. What people call themselves is only a claim: beside a token it is shown with the
// token's name, and without one there is nothing better.
func actor(p person, claim, via string) detector.Actor {
	claim = oneLine(claim, longestName)
	a := detector.Actor{Kind: "person", ID: p.name, Name: p.name, Via: via}
	switch {
	case p.open && claim == "":
		a.ID, a.Name = "local", "local"
	case p.open:
		a.ID, a.Name = claim, claim
	case claim != "" && claim != p.name:
		a.Name = claim + " (" + p.name + ")"
	}
	return a
}

// respond checks an event's form and hands it on. The assignee becomes a name on every list: it is one line,
// whatever was sent.
func (s *Server) respond(ctx context.Context, e detector.Event) (detector.Result, error) {
	e.Args.Assignee = oneLine(e.Args.Assignee, longestName)
	if err := checkArgs(&e, s.c.Now()); err != nil {
		return detector.Result{}, err
	}
	return s.c.Responder.Respond(ctx, e)
}

// checkArgs refuses arguments that cannot be meant. Whether the incident allows the operation is for the
// detector to say.
func checkArgs(e *detector.Event, now time.Time) error {
	a := &e.Args
	switch {
	case !slices.Contains(operations, e.Op):
		return badRequest("there is no operation %q; there are %s", e.Op, list(words(operations)))
	case e.Expected < 0:
		return badRequest("expected_version is a number from 1, or 0 for any")
	case len([]rune(a.Note)) > longestNote:
		return refuseSaying(http.StatusBadRequest, "problem.note.long", "n", strconv.Itoa(longestNote))
	case a.For != 0 && !a.Until.IsZero():
		return badRequest("give either for or until, not both")
	case a.For < 0 || (!a.Until.IsZero() && !a.Until.After(now)):
		return badRequest("the time to %s until has to be in the future", e.Op)
	}
	return checkNeeds(e, now)
}

// checkNeeds looks for the argument that the operation cannot do without.
func checkNeeds(e *detector.Event, now time.Time) error {
	a := &e.Args
	until := max(time.Duration(a.For), a.Until.Sub(now))
	switch e.Op {
	case detector.OpSnooze:
		if until <= 0 {
			return badRequest("snooze for how long? give for, such as \"2h\", or until")
		}
		if until > longestSnooze {
			return badRequest("a snooze may last 7 days at most")
		}
	case detector.OpAssign:
		return needed(a.Assignee != "", "assign to whom? give assignee")
	case detector.OpNote:
		if strings.TrimSpace(a.Note) == "" {
			return refuseSaying(http.StatusBadRequest, "problem.note.empty")
		}
	case detector.OpSeverity:
		return needed(a.Severity >= rules.Crisis && a.Severity <= rules.Notice, "give severity: 1 crisis, 2 serious, 3 issue, 4 notice")
	case detector.OpMerge:
		return needed(a.Into != "" && a.Into != e.Incident, "merge into which other incident? give its id as into")
	case detector.OpSplit:
		return needed((len(a.Mentions) > 0) != (a.Into != ""), "split off which mentions? give mentions as "+
			"[{\"source\":…,\"id\":…}], or as into the id of the merged incident to bring back; not both")
	case detector.OpFacts:
		return needed(len(a.Facts) > 0, "give facts as {\"name\":\"value\"}")
	}
	return nil
}

func needed(there bool, what string) error {
	if there {
		return nil
	}
	return &refusal{code: http.StatusBadRequest, text: what}
}

func words[T ~string](vs []T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}

// oneLine returns s without control and formatting characters, cut after most characters.
func oneLine(s string, most int) string {
	s = strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, s))
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
