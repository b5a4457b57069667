package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"emberwatch/sources"
)

// ErrQuota is the error for a key of which Google takes no more that day.
var ErrQuota = errors.New("the daily quota of the key is used up")

var errDisabled = errors.New("comments are disabled")

const answerPages = 5 // of 100 answers each, most that are read of a thread at once

// ask makes one call of the API. It costs one unit.
func (s *Source) ask(ctx context.Context, method string, query url.Values) ([]byte, error) {
	query.Set("textFormat", "plainText")
	address := s.opt.URL + "/" + method + "?" + query.Encode()
	resp, err := s.opt.Client.Get(ctx, address, http.Header{"X-Goog-Api-Key": {s.opt.Key}})
	if err != nil {
		return nil, explained(err, time.Now())
	}
	return resp.Body, nil
}

// explained tells apart what the API means by the status 403.
func explained(err error, now time.Time) error {
	status, ok := errors.AsType[*sources.StatusError](err)
	if !ok || status.Status != http.StatusForbidden && status.Status != http.StatusTooManyRequests {
		return err
	}
	switch reason(status.Body) {
	case "quotaExceeded", "dailyLimitExceeded":
		return usedUp(now, now.Add(untilMidnight(now)))
	case "commentsDisabled":
		return errDisabled
	case "rateLimitExceeded", "userRateLimitExceeded":
		return &sources.RetryAfterError{After: time.Minute, Err: err, Ours: true}
	}
	return err
}

// reason is why the API refuses, in its own word.
func reason(body []byte) string {
	var answer struct {
		Error struct {
			Errors []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	if sources.DecodeJSON(body, &answer) != nil || len(answer.Error.Errors) == 0 {
		return ""
	}
	return answer.Error.Errors[0].Reason
}

// usedUp is the error for a quota that begins anew at a time.
func usedUp(now, anew time.Time) error {
	return &sources.RetryAfterError{
		After: anew.Sub(now), Ours: true, Err: fmt.Errorf("%w; it begins anew at %s", ErrQuota, anew.UTC().Format(time.RFC3339)),
	}
}

// untilMidnight is how long until the quota begins anew: at midnight in California.
func untilMidnight(now time.Time) time.Duration {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		zone = time.FixedZone("PST", -8*60*60)
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone).Sub(now)
}

// threads reads a page of the threads of a channel or video, the newest first.
func (s *Source) threads(ctx context.Context, name, token string, now time.Time) (*threadPage, error) {
	query := url.Values{"part": {"snippet,replies"}, "order": {"time"}, "maxResults": {"100"}}
	if id, ok := strings.CutPrefix(name, "channel:"); ok {
		query.Set("allThreadsRelatedToChannelId", id)
	} else {
		query.Set("videoId", strings.TrimPrefix(name, "video:"))
	}
	if token != "" {
		query.Set("pageToken", token)
	}
	body, err := s.ask(ctx, "commentThreads", query)
	if err != nil {
		return nil, err
	}
	return s.decodeThreads(body, now)
}

// answersTo reads the answers within a thread.
func (s *Source) answersTo(ctx context.Context, thread, video string, now time.Time) (ms []sources.Mention, rejected sources.Rejects, err error) {
	query := url.Values{"part": {"snippet"}, "maxResults": {"100"}, "parentId": {thread}}
	for range answerPages {
		body, err := s.ask(ctx, "comments", query)
		if err != nil {
			return nil, sources.Rejects{}, err
		}
		p, err := s.decodeComments(body, func(string) string { return video }, now)
		if err != nil {
			return nil, sources.Rejects{}, err
		}
		ms = append(ms, p.Mentions...)
		rejected.Join(p.Rejected)
		if p.Next == "" {
			break
		}
		query.Set("pageToken", p.Next)
	}
	return ms, rejected, nil
}

// look reads comments again. What is not in the answer is gone; what nobody knows the video of is left as it was.
func (s *Source) look(ctx context.Context, ids []string) ([]sources.Mention, error) {
	now := time.Now()
	body, err := s.ask(ctx, "comments", url.Values{"part": {"snippet"}, "id": {strings.Join(ids, ",")}})
	if err != nil {
		return nil, err
	}
	p, err := s.decodeComments(body, func(id string) string { return s.videos[id] }, now)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if slices.ContainsFunc(p.Mentions, func(m sources.Mention) bool { return m.ID == id }) || p.Rejected.Count > 0 {
			continue // an answer that cannot be read to its end proves no absence
		}
		gone := sources.Mention{ID: id, Source: s.opt.Name, Network: network, Kind: sources.Comment, Op: sources.Delete, CreatedAt: now}
		if err := sources.Normalize(&gone, now); err == nil {
			p.Mentions = append(p.Mentions, gone)
		}
	}
	return slices.DeleteFunc(p.Mentions, func(m sources.Mention) bool {
		return m.Op != sources.Delete && m.RootID == "" // it would lose its address
	}), nil
}

// subscribers is the number of subscribers as a mention; none, where the channel hides it.
func (s *Source) subscribers(ctx context.Context, now time.Time) ([]sources.Mention, error) {
	body, err := s.ask(ctx, "channels", url.Values{"part": {"statistics"}, "id": {s.opt.Channel}})
	if err != nil {
		return nil, err
	}
	value, ok, err := decodeSubscribers(body)
	if err != nil || !ok {
		return nil, err
	}
	m := sources.Mention{
		ID:     fmt.Sprintf("followers:%s:%s", s.opt.Channel, now.UTC().Format("2006-01-02T15:04")),
		Source: s.opt.Name, Network: network, Kind: sources.Metric, Brand: s.opt.Brand,
		Metric: &sources.Gauge{Name: "followers", Value: value}, CreatedAt: now,
	}
	if err := sources.Normalize(&m, now); err != nil {
		return nil, err
	}
	return []sources.Mention{m}, nil
}

// decodeSubscribers reads a channel's statistics.
func decodeSubscribers(body []byte) (value float64, ok bool, err error) {
	var answer struct {
		Items []struct {
			Statistics struct {
				Subscribers sources.Loose `json:"subscriberCount"`
				Hidden      sources.Loose `json:"hiddenSubscriberCount"`
			} `json:"statistics"`
		} `json:"items"`
	}
	if err := sources.DecodeJSON(body, &answer); err != nil {
		return 0, false, err
	}
	if len(answer.Items) == 0 {
		return 0, false, errors.New("there is no such channel")
	}
	st := answer.Items[0].Statistics
	var n json.Number
	if json.Unmarshal([]byte(st.Subscribers), &n) != nil || st.Hidden.True() {
		return 0, false, nil
	}
	return float64(max(st.Subscribers.Int(), 0)), true, nil
}
