package slack

import (
	"context"
	"encoding/json"
	"errors"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// The ids of windows, and of what is filled in there: block and element have the same.
const (
	viewAssign = "assign"
	viewMerge  = "merge"
	viewUse    = "use"

	fieldUser  = "user"
	fieldGroup = "group"
	fieldNote  = "note"
	fieldInto  = "into"
	fieldText  = "text"
)

// window is what an open window knows about itself. It travels in the view's private metadata.
type window struct {
	Incident string             `json:"incident"`
	Version  int                `json:"version,omitempty"`
	Lang     string             `json:"lang,omitempty"`
	Channel  string             `json:"channel,omitempty"` // it was opened from
	Draft    *detector.DraftUse `json:"draft,omitempty"`
	Sum      string             `json:"sum,omitempty"` // of the draft as it was offered
}

func (w window) String() string {
	b, _ := json.Marshal(w) // strings and numbers
	return string(b)
}

// plainView is a window in which nothing is filled in.
func plainView(name *slackapi.TextBlockObject, v voice, blocks ...slackapi.Block) slackapi.ModalViewRequest {
	return slackapi.ModalViewRequest{
		Type: slackapi.VTModal, Title: name, Close: words(v.Say("modal.close")), Blocks: slackapi.Blocks{BlockSet: blocks},
	}
}

// form is a window that is handed in.
func form(id string, w window, title, submit string, v voice, blocks ...slackapi.Block) slackapi.ModalViewRequest {
	r := plainView(words(title), v, blocks...)
	r.CallbackID, r.PrivateMetadata, r.Submit = id, w.String(), words(submit)
	return r
}

// open opens a window for a press. Whoever pressed hears of a failure.
func (n *Notifier) open(cb *slackapi.InteractionCallback, lang string, view func(context.Context) (slackapi.ModalViewRequest, error)) job {
	return func(ctx context.Context) {
		r, err := view(ctx)
		if err == nil {
			_, err = n.api.OpenViewContext(ctx, cb.TriggerID, r)
		}
		if err != nil {
			n.log.Warn("slack: could not open a window", "error", deliveryError(err, notifier.NotSent))
			n.answer(cb, n.spoken(lang).Say("modal.failed"))(ctx)
		}
	}
}

// replaceView shows something else in an open window.
func (n *Notifier) replaceView(id string, r slackapi.ModalViewRequest) job {
	return func(ctx context.Context) {
		if _, err := n.api.UpdateViewContext(ctx, r, "", "", id); err != nil {
			n.log.Warn("slack: could not renew a window", "error", deliveryError(err, notifier.NotSent))
		}
	}
}

// askAssignee asks for whom an incident is.
func (n *Notifier) askAssignee(cb *slackapi.InteractionCallback, t token) job {
	open := n.open(cb, t.lang, func(ctx context.Context) (slackapi.ModalViewRequest, error) {
		v := n.spoken(t.lang)
		user := &slackapi.SelectBlockElement{Type: slackapi.OptTypeUser, ActionID: fieldUser, InitialUser: cb.User.ID}
		blocks := []slackapi.Block{input(fieldUser, v.Say("assign.user"), user, true)}
		if options := n.groupOptions(ctx); options != nil {
			groups := slackapi.NewOptionsSelectBlockElement(slackapi.OptTypeStatic, nil, fieldGroup, options...)
			blocks = append(blocks, input(fieldGroup, v.Say("assign.group"), groups, true))
		}
		note := slackapi.NewPlainTextInputBlockElement(nil, fieldNote)
		note.Multiline, note.MaxLength = true, maxInput
		blocks = append(blocks, input(fieldNote, v.Say("assign.note"), note, true))
		w := window{Incident: t.incident, Lang: t.lang, Channel: cb.Channel.ID}
		return form(viewAssign, w, v.Say("assign.title"), v.Say("assign.submit"), v, blocks...), nil
	})
	return func(ctx context.Context) {
		open(ctx)
		n.lookUpPeople(ctx) // for the next time
	}
}

// groupOptions are the groups that something can be assigned to; nil if none are known. They are as they were known at
// the last look: the window has to open within 3 s of the press.
func (n *Notifier) groupOptions(ctx context.Context) []*slackapi.OptionBlockObject {
	groups, err := n.names.groups.known()
	if errors.Is(err, errNotYet) {
		groups, err = n.names.groups.all(ctx, n.now())
	}
	if err != nil {
		n.log.Warn("slack: no groups to assign to", "error", harmless(err))
		return nil
	}
	var out []*slackapi.OptionBlockObject
	for _, handle := range sortedKeys(groups) {
		if len(out) < maxOptions {
			out = append(out, option(groups[handle].id, "@"+handle))
		}
	}
	return out
}

// askMerge asks into which incident of the same brand one goes.
func (n *Notifier) askMerge(cb *slackapi.InteractionCallback, t token) job {
	return n.open(cb, t.lang, func(ctx context.Context) (slackapi.ModalViewRequest, error) {
		v := n.spoken(t.lang)
		title := words(v.Say("merge.title"))
		if n.cfg.Reader == nil {
			return plainView(title, v, section(v.Say("merge.none"))), nil
		}
		inc, err := n.cfg.Reader.Incident(ctx, t.incident)
		if err != nil {
			return slackapi.ModalViewRequest{}, err
		}
		list, err := n.cfg.Reader.Incidents(ctx, detector.IncidentFilter{State: "open", Brand: inc.Brand, Limit: maxOptions})
		if err != nil {
			return slackapi.ModalViewRequest{}, err
		}
		var options []*slackapi.OptionBlockObject
		for i := range list {
			if list[i].ID != inc.ID && units(list[i].ID) <= maxValue {
				options = append(options, option(list[i].ID, icon(list[i].Severity)+" "+list[i].ID+" · "+notifier.Title(v.Language, &list[i])))
			}
		}
		if options == nil {
			return plainView(title, v, section(v.Say("merge.none"))), nil
		}
		into := slackapi.NewOptionsSelectBlockElement(slackapi.OptTypeStatic, nil, fieldInto, options...)
		w := window{Incident: inc.ID, Version: t.version, Lang: t.lang, Channel: cb.Channel.ID}
		return form(viewMerge, w, v.Say("merge.title"), v.Say("merge.submit"), v,
			input(fieldInto, v.Say("merge.into"), into, false), remark(v.Say("merge.about", "id", esc(inc.ID, maxName)))), nil
	})
}

// input is a field to fill in.
func input(id, label string, element slackapi.BlockElement, optional bool) slackapi.Block {
	b := slackapi.NewInputBlock(id, words(label), nil, element)
	b.Optional = optional
	return b
}

// submitted carries out what was handed in. What is wrong with it is said beside the field.
func (n *Notifier) submitted(ctx context.Context, cb *slackapi.InteractionCallback) reaction {
	var w window
	if json.Unmarshal([]byte(cb.View.PrivateMetadata), &w) != nil || w.Incident == "" {
		return reaction{}
	}
	v := n.spoken(w.Lang)
	if !n.ours(cb) {
		n.log.Warn("slack: a window from another team or app refused", "team", cb.User.TeamID)
		return reaction{}
	}
	e := detector.Event{ID: cb.View.ID + cb.User.ID + cb.View.CallbackID, Incident: w.Incident, Actor: clickerOf(cb).actor()}
	field, wrong := n.filled(ctx, cb, &w, v, &e)
	if wrong != "" {
		return reaction{payload: slackapi.NewErrorsViewSubmissionResponse(map[string]string{field: plain(wrong, maxBlurb)})}
	}
	who := clickerOf(cb)
	who.channel = w.Channel
	_, said, lost := n.carry(ctx, v, who, e)
	switch {
	case lost:
		return reaction{lost: true}
	case said != "":
		return reaction{payload: slackapi.NewErrorsViewSubmissionResponse(map[string]string{field: plain(spelledOut(said), maxBlurb)})}
	}
	return reaction{payload: slackapi.NewClearViewSubmissionResponse()}
}

// filled makes an event of the fields. It returns the field that a problem stands beside, and the problem.
func (n *Notifier) filled(ctx context.Context, cb *slackapi.InteractionCallback, w *window, v voice, e *detector.Event) (field, wrong string) {
	get := func(id string) slackapi.BlockAction {
		if cb.View.State == nil {
			return slackapi.BlockAction{}
		}
		return cb.View.State.Values[id][id]
	}
	switch cb.View.CallbackID {
	case viewAssign:
		e.Op, e.Args.Note = detector.OpAssign, get(fieldNote).Value
		if e.Args.Assignee = get(fieldGroup).SelectedOption.Value; e.Args.Assignee == "" {
			e.Args.Assignee = get(fieldUser).SelectedUser
		}
		if e.Args.Assignee == "" {
			return fieldUser, v.Say("assign.nobody")
		}
		return fieldUser, ""
	case viewMerge:
		e.Op, e.Expected, e.Args.Into = detector.OpMerge, w.Version, get(fieldInto).SelectedOption.Value
		return fieldInto, ""
	case viewUse:
		return fieldText, n.used(ctx, w, v, get(fieldText).Value, e)
	}
	return fieldText, v.Say("told.unknown.button")
}
