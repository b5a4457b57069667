package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// thing is what somebody wrote somewhere. Every service of the town holds things, and shows them in its own language.
type thing struct {
	n    int // the how manieth of its service
	id   string
	text string
	at   time.Time
}

// newThing is the nth thing of a service. Some of them say nothing good: those are looked at again.
func newThing(service string, n int, at time.Time) thing {
	x := thing{n: n, id: fmt.Sprintf("%s-%d", service, n), at: at.UTC().Truncate(time.Second)}
	if x.text = "Fjellbryg, no. " + x.id; x.bad() {
		x.text = "Fjellbryg is terrible, never again, no. " + x.id
	}
	return x
}

func (x thing) bad() bool { return x.n%8 == 3 }

// lookedUp reports a thing that Meta notifies of by its id alone: a mention on Instagram.
func (x thing) lookedUp() bool { return strings.HasPrefix(x.id, "meta-") && x.n%4 == 0 }

// toldAs are the ids of a thing as mentions.
func toldAs(service string, x thing) []string {
	switch service {
	case "appstore": // both countries have reviews of their own
		return []string{x.id + "-us", x.id + "-de"}
	case "discourse":
		return []string{strconv.Itoa(x.n + 1)}
	case "mastodon":
		return []string{strconv.Itoa(1000 + x.n)}
	case "bluesky":
		return []string{atURI(x)}
	case "meta":
		if x.lookedUp() {
			return []string{strconv.Itoa(7000 + x.n)}
		}
	}
	return []string{x.id}
}

func atURI(x thing) string { return "at://did:plc:" + x.id + "/app.bsky.feed.post/r" }

// spoken is what a service says to a request.
type spoken struct {
	status int // 0: 200
	body   any // text, or what becomes JSON
	link   string
}

func (a spoken) text() string {
	if s, ok := a.body.(string); ok {
		return s
	}
	b, _ := json.Marshal(a.body)
	return string(b)
}

type object = map[string]any

// services answer a request to a path of theirs, with the things that there are, the newest first.
var services = map[string]func(r *http.Request, path string, list []thing) spoken{
	"feed": feedService, "appstore": appstoreService, "googleplay": googleplayService, "youtube": youtubeService,
	"hackernews": hackernewsService, "discourse": discourseService, "mastodon": mastodonService, "bluesky": appViewService, "meta": graphService,
}

// page cuts a page out of a list, by an offset, and says where the next begins; 0: nowhere.
func page(list []thing, from string) ([]thing, int) {
	const size = 8
	at, _ := strconv.Atoi(from)
	if at+size >= len(list) {
		return list[min(at, len(list)):], 0
	}
	return list[at : at+size], at + size
}

func nextToken(next int) any {
	if next == 0 {
		return nil
	}
	return strconv.Itoa(next)
}

func each(list []thing, f func(thing) any) []any {
	all := []any{}
	for _, x := range list {
		all = append(all, f(x))
	}
	return all
}

// only are the things of the ids, of those that there are.
func only(service string, list []thing, ids []string) []thing {
	return slices.DeleteFunc(slices.Clone(list), func(x thing) bool { return !slices.Contains(ids, toldAs(service, x)[0]) })
}

func feedService(_ *http.Request, _ string, list []thing) spoken {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>t</title>`)
	for _, x := range list {
		fmt.Fprintf(&b, "<item><guid>%s</guid><title>%s</title><pubDate>%s</pubDate></item>", x.id, x.text, x.at.Format(time.RFC1123Z))
	}
	return spoken{body: b.String() + "</channel></rss>"}
}

func labelled(s string) object { return object{"label": s} }

func appstoreService(_ *http.Request, path string, list []thing) spoken {
	var country string
	var n int
	fmt.Sscanf(strings.ReplaceAll(path, "/", " "), "%s rss customerreviews page=%d", &country, &n)
	list, _ = page(list, strconv.Itoa(8*(n-1)))
	return spoken{body: object{"feed": object{"entry": each(list, func(x thing) any {
		return object{"id": labelled(x.id + "-" + country), "title": labelled(x.text), "im:rating": labelled("2"), "updated": labelled(x.at.Format(time.RFC3339))}
	})}}}
}

func googleplayService(r *http.Request, path string, list []thing) spoken {
	if path == "/token" {
		return spoken{body: object{"access_token": "t", "expires_in": 3600}}
	}
	list, next := page(list, r.URL.Query().Get("token"))
	return spoken{body: object{"tokenPagination": object{"nextPageToken": nextToken(next)}, "reviews": each(list, func(x thing) any {
		comment := object{"text": x.text, "starRating": 2, "lastModified": object{"seconds": fmt.Sprint(x.at.Unix())}}
		return object{"reviewId": x.id, "comments": []any{object{"userComment": comment}}}
	})}}
}

func youtubeService(r *http.Request, path string, list []thing) spoken {
	comment := func(x thing) any {
		return object{"id": x.id, "snippet": object{"textDisplay": x.text, "publishedAt": x.at.Format(time.RFC3339)}}
	}
	switch path {
	case "/channels":
		return spoken{body: object{"items": []any{object{"statistics": object{"subscriberCount": "48200"}}}}}
	case "/comments":
		return spoken{body: object{"items": each(only("youtube", list, strings.Split(r.URL.Query().Get("id"), ",")), comment)}}
	}
	list, next := page(list, r.URL.Query().Get("pageToken"))
	return spoken{body: object{"nextPageToken": nextToken(next), "items": each(list, func(x thing) any {
		return object{"snippet": object{"videoId": "nordvid0001", "topLevelComment": comment(x)}}
	})}}
}

func hackernewsService(r *http.Request, _ string, list []thing) spoken {
	after, _ := strconv.ParseInt(strings.TrimPrefix(r.URL.Query().Get("numericFilters"), "created_at_i>"), 10, 64)
	list = slices.DeleteFunc(slices.Clone(list), func(x thing) bool { return x.at.Unix() <= after })
	at, _ := strconv.Atoi(r.URL.Query().Get("page"))
	cut, _ := page(list, strconv.Itoa(8*at))
	return spoken{body: object{"nbPages": (len(list) + 7) / 8, "hits": each(cut, func(x thing) any {
		return object{"objectID": x.id, "comment_text": x.text, "created_at_i": x.at.Unix()}
	})}}
}

func discourseService(r *http.Request, path string, list []thing) spoken {
	post := func(x thing) any {
		return object{"id": x.n + 1, "username": "u", "cooked": x.text, "created_at": x.at.Format(time.RFC3339), "post_number": 2, "post_type": 1, "topic_id": 1}
	}
	if id, single := strings.CutPrefix(path, "/posts/"); single {
		return oneOf(only("discourse", list, []string{strings.TrimSuffix(id, ".json")}), post)
	}
	before, _ := strconv.Atoi(r.URL.Query().Get("before"))
	list = slices.DeleteFunc(slices.Clone(list), func(x thing) bool { return before > 0 && x.n+1 > before })
	cut, _ := page(list, "")
	return spoken{body: object{"latest_posts": each(cut, post)}}
}

// oneOf is the answer to a question for one thing.
func oneOf(list []thing, f func(thing) any) spoken {
	if len(list) == 0 {
		return spoken{status: http.StatusNotFound, body: object{"error": "gone"}}
	}
	return spoken{body: f(list[0])}
}

// status is a thing as a post on Mastodon.
func status(x thing) any {
	return object{"id": strconv.Itoa(1000 + x.n), "content": x.text, "created_at": x.at.Format(time.RFC3339), "account": object{"id": x.id, "acct": x.id}}
}

// liked reports a thing on Mastodon that somebody has liked, as a notification says.
func (x thing) liked() bool { return x.n%4 == 2 }

func mastodonService(r *http.Request, path string, list []thing) spoken {
	switch id, single := strings.CutPrefix(path, "/api/v1/statuses/"); {
	case path == "/api/v2/instance":
		return spoken{body: object{"configuration": nil}}
	case single:
		return oneOf(only("mastodon", list, []string{id}), status)
	case path == "/api/v1/notifications":
		since, _ := strconv.Atoi(r.URL.Query().Get("min_id"))
		list = slices.DeleteFunc(slices.Clone(list), func(x thing) bool { return !x.liked() || x.n <= since-5000 })
		return spoken{body: each(list, func(x thing) any {
			return object{"id": strconv.Itoa(5000 + x.n), "type": "favourite", "created_at": x.at.Format(time.RFC3339), "account": object{"id": "fan-" + x.id}, "status": status(x)}
		})}
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("max_id")); err == nil {
		list = slices.DeleteFunc(slices.Clone(list), func(x thing) bool { return 1000+x.n >= n })
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("min_id")); err == nil { // the page right after it
		list = slices.DeleteFunc(slices.Clone(list), func(x thing) bool { return 1000+x.n <= n })
		list = list[max(len(list)-8, 0):]
	}
	cut, _ := page(list, "")
	a := spoken{body: each(cut, status)}
	if len(cut) > 0 {
		a.link = fmt.Sprintf(`<http://mastodon.test/api/v1/timelines/tag/x?max_id=%d>; rel="next"`, 1000+cut[len(cut)-1].n)
	}
	return a
}

// appViewService is what Bluesky says of posts; its stream is no answer.
func appViewService(r *http.Request, _ string, list []thing) spoken {
	return spoken{body: object{"posts": each(only("bluesky", list, r.URL.Query()["uris"]), func(x thing) any {
		return object{"uri": atURI(x), "record": object{"text": x.text}, "indexedAt": x.at.Format(time.RFC3339), "likeCount": 7, "repostCount": 2, "quoteCount": 1}
	})}}
}

// graphService knows the comments that mention an account.
func graphService(r *http.Request, _ string, list []thing) spoken {
	fields := r.URL.Query().Get("fields")
	at := slices.IndexFunc(list, func(x thing) bool { return strings.Contains(fields, fmt.Sprintf("(%d)", 7000+x.n)) })
	if at < 0 {
		return spoken{status: http.StatusBadRequest, body: object{"error": object{"code": 100}}}
	}
	return spoken{body: object{"mentioned_comment": object{"text": list[at].text, "username": "u", "timestamp": list[at].at.Format(time.RFC3339)}}}
}

// newestFirst orders things as services list them.
func newestFirst(list []thing) []thing {
	return slices.SortedFunc(slices.Values(list), func(a, b thing) int { return cmp.Compare(b.n, a.n) })
}
