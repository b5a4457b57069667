package meta

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"emberwatch/sources"
)

// notice is one change of a delivery, read.
type notice struct {
	mention sources.Mention // not normalised, without source and brand
	account string          // the Page or Instagram account that it is about
	ask     asked           // what has to be looked up
}

// entry is what happened to one Page or account.
type entry struct {
	ID      ident  `json:"id"`
	Time    moment `json:"time"`
	Changes []struct {
		Field string          `json:"field"`
		Value json.RawMessage `json:"value"`
	} `json:"changes"`
}

// decode reads a delivery. Changes of kinds that say nothing about a brand are left out; what should be one and
// cannot be read is counted.
func decode(body []byte) (told []notice, rejected int, err error) {
	if err := sources.CheckDepth(body); err != nil {
		return nil, 0, err
	}
	var delivery struct {
		Object string            `json:"object"`
		Entry  []json.RawMessage `json:"entry"`
	}
	if err := json.Unmarshal(body, &delivery); err != nil {
		return nil, 0, errors.New("the body is no notification: expected an object with a list entry")
	}
	for _, raw := range delivery.Entry {
		var e entry
		if json.Unmarshal(raw, &e) != nil {
			rejected++
			continue
		}
		for _, change := range e.Changes {
			n, ok, err := read(delivery.Object, change.Field, change.Value, &e)
			switch {
			case err != nil:
				rejected++
			case ok:
				told = append(told, n)
			}
		}
	}
	return told, rejected, nil
}

// read turns one change into a notice; ok is false for those that are none of our business.
func read(object, field string, value json.RawMessage, e *entry) (n notice, ok bool, err error) {
	switch object + " " + field {
	case "page feed":
		var v feedValue
		if err = json.Unmarshal(value, &v); err == nil {
			n, ok = v.notice(e)
		}
	case "instagram comments", "instagram live_comments":
		var v commentValue
		if err = json.Unmarshal(value, &v); err == nil {
			n, ok = v.notice(e), true
		}
	case "instagram mentions":
		var v mentionValue
		if err = json.Unmarshal(value, &v); err == nil {
			n, ok = v.notice(e), true
		}
	}
	return n, ok, err
}

// person is who did it; older notifications name the sender beside the value.
type person struct {
	ID       ident  `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
}

// feedValue is a change of the feed of a Page.
type feedValue struct {
	Item       string `json:"item"`
	Verb       string `json:"verb"`
	CommentID  ident  `json:"comment_id"`
	PostID     ident  `json:"post_id"`
	ParentID   ident  `json:"parent_id"`
	ShareID    ident  `json:"share_id"`
	Message    string `json:"message"`
	Photo      string `json:"photo"`
	Video      string `json:"video"`
	Created    moment `json:"created_time"`
	From       person `json:"from"`
	SenderID   ident  `json:"sender_id"`
	SenderName string `json:"sender_name"`
	Post       struct {
		Permalink string `json:"permalink_url"`
	} `json:"post"`
}

// verbs are what may have happened. Hiding is left out: what the Page hides was written all the same.
var verbs = map[string]sources.Op{
	"": sources.Create, "add": sources.Create, "edited": sources.Update, "edit": sources.Update, "update": sources.Update,
	"remove": sources.Delete, "delete": sources.Delete,
}

func (v *feedValue) notice(e *entry) (notice, bool) {
	op, known := verbs[v.Verb]
	m := sources.Mention{
		Network: "facebook", Op: op, Text: v.Message, RootID: string(v.PostID), ParentID: string(v.ParentID), URL: v.Post.Permalink,
		Author:   sources.Author{ID: first(v.From.ID, v.SenderID), Name: first(v.From.Name, v.SenderName)},
		HasMedia: v.Photo != "" || v.Video != "", CreatedAt: v.Created.or(e.Time),
	}
	switch v.Item {
	case "comment":
		m.Kind, m.ID = sources.Comment, string(v.CommentID)
	case "post", "status", "photo", "video", "link", "album", "event", "offer":
		m.Kind, m.ID, m.RootID = sources.Post, string(v.PostID), ""
	case "share":
		m.Kind, m.ID = sources.Share, first(v.ShareID, v.PostID)
	case "reaction", "like":
		m.Kind, m.Text = sources.Like, ""
		m.ParentID = first(v.CommentID, v.PostID, v.ParentID, e.ID)
		if m.Author.ID != "" { // else nobody could tell one from another
			m.ID = "like:" + m.ParentID + ":" + m.Author.ID
		}
	default:
		return notice{}, false
	}
	if op == sources.Update {
		m.UpdatedAt = time.Time(e.Time)
	}
	return notice{mention: m, account: string(e.ID)}, known
}

// commentValue is a comment on an Instagram account's media.
type commentValue struct {
	ID       ident  `json:"id"`
	ParentID ident  `json:"parent_id"`
	Text     string `json:"text"`
	From     person `json:"from"`
	Media    struct {
		ID ident `json:"id"`
	} `json:"media"`
}

func (v *commentValue) notice(e *entry) notice {
	return notice{account: string(e.ID), mention: sources.Mention{
		ID: string(v.ID), Network: "instagram", Kind: sources.Comment, Text: v.Text,
		ParentID: first(v.ParentID, v.Media.ID), RootID: string(v.Media.ID),
		Author: sources.Author{ID: string(v.From.ID), Handle: v.From.Username}, CreatedAt: time.Time(e.Time),
	}}
}

// mentionValue says that an account was mentioned, in a comment or else in a caption, and nothing more.
type mentionValue struct {
	MediaID   ident `json:"media_id"`
	CommentID ident `json:"comment_id"`
}

func (v *mentionValue) notice(e *entry) notice {
	n := notice{account: string(e.ID), mention: sources.Mention{
		ID: first(v.CommentID, v.MediaID), Network: "instagram", Kind: sources.Tag, CreatedAt: time.Time(e.Time),
	}}
	if n.ask = (asked{edge: "mentioned_media", id: string(v.MediaID)}); v.CommentID != "" {
		n.mention.RootID = string(v.MediaID)
		n.ask = asked{edge: "mentioned_comment", id: string(v.CommentID)}
	}
	return n
}

// first is the first that is not empty.
func first[S ~string](list ...S) string {
	for _, s := range list {
		if s != "" {
			return string(s)
		}
	}
	return ""
}

// ident is an id, which is written as a string here and as a number there.
type ident string

// UnmarshalJSON reads strings and numbers; everything else is no id.
func (i *ident) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 0 && b[0] == '"':
		return json.Unmarshal(b, (*string)(i))
	case bytes.Equal(b, []byte("null")):
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return errors.New("an id is a string or a number")
	}
	*i = ident(n)
	return nil
}

// moment is a time in seconds or milliseconds since 1970, as a number or a string of one.
type moment time.Time

// UnmarshalJSON reads a time; what is none is no time.
func (t *moment) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	switch {
	case err != nil || n <= 0:
		*t = moment{}
	case n >= 1e11:
		*t = moment(time.UnixMilli(n))
	default:
		*t = moment(time.Unix(n, 0))
	}
	return nil
}

func (t moment) or(other moment) time.Time {
	if time.Time(t).IsZero() {
		return time.Time(other)
	}
	return time.Time(t)
}
