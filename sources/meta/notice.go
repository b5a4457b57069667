package meta

import (
	"encoding/json"
	"errors"
	"strconv"
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
	ID      sources.Loose     `json:"id"`
	Time    sources.Loose     `json:"time"`
	Changes []json.RawMessage `json:"changes"`
}

// decode reads a delivery. Changes of kinds that say nothing about a brand are left out; what should be one and
// cannot be read is counted.
func decode(body []byte) (told []notice, rejected sources.Rejects, err error) {
	if err := sources.CheckDepth(body); err != nil {
		return nil, rejected, err
	}
	var delivery struct {
		Object string            `json:"object"`
		Entry  []json.RawMessage `json:"entry"`
	}
	if err := json.Unmarshal(body, &delivery); err != nil {
		return nil, rejected, errors.New("the body is no notification: expected an object with a list entry")
	}
	for _, raw := range delivery.Entry {
		var e entry
		if json.Unmarshal(raw, &e) != nil {
			rejected.Add(sources.ErrForm)
			continue
		}
		for _, change := range e.Changes {
			n, ok, err := read(delivery.Object, change, &e)
			switch {
			case err != nil:
				rejected.Add(err)
			case ok:
				told = append(told, n)
			}
		}
	}
	return told, rejected, nil
}

// read turns one change into a notice; ok is false for those that are none of our business.
func read(object string, change json.RawMessage, e *entry) (n notice, ok bool, err error) {
	var c struct {
		Field string          `json:"field"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(change, &c); err != nil || len(c.Value) == 0 {
		return n, false, err
	}
	switch object + " " + c.Field {
	case "page feed":
		var v feedValue
		if err = json.Unmarshal(c.Value, &v); err == nil {
			n, ok = v.notice(e)
		}
	case "instagram comments", "instagram live_comments":
		var v commentValue
		if err = json.Unmarshal(c.Value, &v); err == nil {
			n, ok = v.notice(e), true
		}
	case "instagram mentions":
		var v mentionValue
		if err = json.Unmarshal(c.Value, &v); err == nil {
			n, ok = v.notice(e), true
		}
	}
	return n, ok, err
}

// person is who did it; older notifications name the sender beside the value.
type person struct {
	ID       sources.Loose `json:"id"`
	Name     sources.Loose `json:"name"`
	Username sources.Loose `json:"username"`
}

// feedValue is a change of the feed of a Page.
type feedValue struct {
	Item       sources.Loose `json:"item"`
	Verb       sources.Loose `json:"verb"`
	CommentID  sources.Loose `json:"comment_id"`
	PostID     sources.Loose `json:"post_id"`
	ParentID   sources.Loose `json:"parent_id"`
	ShareID    sources.Loose `json:"share_id"`
	Message    sources.Loose `json:"message"`
	Photo      sources.Loose `json:"photo"`
	Video      sources.Loose `json:"video"`
	Created    sources.Loose `json:"created_time"`
	From       person        `json:"from"`
	SenderID   sources.Loose `json:"sender_id"`
	SenderName sources.Loose `json:"sender_name"`
	Post       struct {
		Permalink sources.Loose `json:"permalink_url"`
	} `json:"post"`
}

// verbs are what may have happened. Hiding is left out: what the Page hides was written all the same.
var verbs = map[string]sources.Op{
	"": sources.Create, "add": sources.Create, "edited": sources.Update, "edit": sources.Update, "update": sources.Update,
	"remove": sources.Delete, "delete": sources.Delete,
}

func (v *feedValue) notice(e *entry) (notice, bool) {
	op, known := verbs[v.Verb.String()]
	m := sources.Mention{
		Network: "facebook", Op: op, Text: v.Message.String(), RootID: v.PostID.String(), ParentID: v.ParentID.String(), URL: v.Post.Permalink.String(),
		Author:   sources.Author{ID: first(v.From.ID, v.SenderID).String(), Name: first(v.From.Name, v.SenderName).String()},
		HasMedia: v.Photo != "" || v.Video != "", CreatedAt: moment(first(v.Created, e.Time)),
	}
	switch v.Item {
	case "comment":
		m.Kind, m.ID = sources.Comment, v.CommentID.String()
	case "post", "status", "photo", "video", "link", "album", "event", "offer":
		m.Kind, m.ID, m.RootID = sources.Post, v.PostID.String(), ""
	case "share":
		m.Kind, m.ID = sources.Share, first(v.ShareID, v.PostID).String()
	case "reaction", "like":
		m.Kind, m.Text = sources.Like, ""
		m.ParentID = first(v.CommentID, v.PostID, v.ParentID, e.ID).String()
		if m.Author.ID != "" { // else nobody could tell one from another
			m.ID = "like:" + m.ParentID + ":" + m.Author.ID
		}
	default:
		return notice{}, false
	}
	if op == sources.Update {
		m.UpdatedAt = moment(e.Time)
	}
	return notice{mention: m, account: e.ID.String()}, known
}

// commentValue is a comment on an Instagram account's media.
type commentValue struct {
	ID       sources.Loose `json:"id"`
	ParentID sources.Loose `json:"parent_id"`
	Text     sources.Loose `json:"text"`
	From     person        `json:"from"`
	Media    struct {
		ID sources.Loose `json:"id"`
	} `json:"media"`
}

func (v *commentValue) notice(e *entry) notice {
	return notice{account: e.ID.String(), mention: sources.Mention{
		ID: v.ID.String(), Network: "instagram", Kind: sources.Comment, Text: v.Text.String(),
		ParentID: first(v.ParentID, v.Media.ID).String(), RootID: v.Media.ID.String(),
		Author: sources.Author{ID: v.From.ID.String(), Handle: v.From.Username.String()}, CreatedAt: moment(e.Time),
	}}
}

// mentionValue says that an account was mentioned, in a comment or else in a caption, and nothing more.
type mentionValue struct {
	MediaID   sources.Loose `json:"media_id"`
	CommentID sources.Loose `json:"comment_id"`
}

func (v *mentionValue) notice(e *entry) notice {
	n := notice{account: e.ID.String(), mention: sources.Mention{
		ID: first(v.CommentID, v.MediaID).String(), Network: "instagram", Kind: sources.Tag, CreatedAt: moment(e.Time),
	}}
	if n.ask = (asked{edge: "mentioned_media", id: v.MediaID.String()}); v.CommentID != "" {
		n.mention.RootID = v.MediaID.String()
		n.ask = asked{edge: "mentioned_comment", id: v.CommentID.String()}
	}
	return n
}

// first is the first that is not empty.
func first[S ~string](list ...S) S {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// moment is a time in seconds or milliseconds since 1970; what is none is the zero time.
func moment(l sources.Loose) time.Time {
	switch n, err := strconv.ParseInt(l.String(), 10, 64); {
	case err != nil || n <= 0:
		return time.Time{}
	case n >= 1e11:
		return time.UnixMilli(n)
	default:
		return time.Unix(n, 0)
	}
}
