package feed

import (
	"net/url"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"

	"emberwatch/sources"
)

// mention translates an item. It is not normalised yet.
func (s *Source) mention(item *gofeed.Item, base *url.URL, shared map[string]bool, now time.Time) sources.Mention {
	link := absolute(item.Link, base)
	m := sources.Mention{
		Source:    s.opt.Name,
		Network:   s.opt.Network,
		Kind:      s.opt.Kind,
		Brand:     s.opt.Brand,
		ID:        itemID(item, link, shared),
		Title:     sources.PlainText(item.Title),
		Text:      itemText(item),
		URL:       link,
		Author:    sources.Author{Name: itemAuthor(item)},
		CreatedAt: now,
		HasMedia:  item.Image != nil || len(item.Enclosures) > 0,
	}
	switch {
	case item.PublishedParsed != nil:
		m.CreatedAt = *item.PublishedParsed
	case item.UpdatedParsed != nil:
		m.CreatedAt = *item.UpdatedParsed
	}
	if item.UpdatedParsed != nil && item.UpdatedParsed.After(m.CreatedAt) {
		m.UpdatedAt = *item.UpdatedParsed
	}
	return m
}

// itemID is the item's own id, else its link, else a hash of title and date. An id that several items of the
// document share with different links is no id: some feeds give all items that of the site.
func itemID(item *gofeed.Item, link string, shared map[string]bool) string {
	id := strings.TrimSpace(item.GUID)
	if id == "" || shared[id] {
		id = link
	}
	if id == "" {
		return "hash:" + sources.Digest(item.Title, item.Published, item.Updated)
	}
	if len(id) > sources.MaxID {
		return "hash:" + sources.Digest(id)
	}
	return id
}

// sharedIDs are the ids that stand for several links.
func sharedIDs(items []*gofeed.Item) map[string]bool {
	links, shared := map[string]string{}, map[string]bool{}
	for _, item := range items {
		if item == nil || item.GUID == "" || item.Link == "" {
			continue
		}
		id := strings.TrimSpace(item.GUID)
		if before, ok := links[id]; ok && before != item.Link {
			shared[id] = true
		}
		links[id] = item.Link
	}
	return shared
}

// itemText is the longer of the two texts an item may have; many feeds repeat one in the other.
func itemText(item *gofeed.Item) string {
	text, summary := sources.PlainText(item.Content), sources.PlainText(item.Description)
	if len(summary) > len(text) {
		return summary
	}
	return text
}

func itemAuthor(item *gofeed.Item) string {
	for _, a := range item.Authors {
		if a != nil && a.Name != "" {
			return sources.PlainText(a.Name)
		}
	}
	return ""
}

// absolute resolves a link and takes it out of a redirect of Google, which Google Alerts wraps around it.
func absolute(link string, base *url.URL) string {
	link = strings.TrimSpace(link)
	if link == "" {
		return ""
	}
	u, err := base.Parse(link)
	if err != nil {
		return ""
	}
	if target := googleTarget(u); target != "" {
		return target
	}
	return u.String()
}

// googleTarget returns where a link like https://www.google.com/url?url=… leads.
func googleTarget(u *url.URL) string {
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	if !strings.HasPrefix(host, "google.") || u.Path != "/url" {
		return ""
	}
	for _, name := range []string{"url", "q"} {
		target, err := url.Parse(u.Query().Get(name))
		if err == nil && target.Host != "" && (target.Scheme == "http" || target.Scheme == "https") {
			return target.String()
		}
	}
	return ""
}
