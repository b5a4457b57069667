package slack

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	slackapi "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

const maxRequest = 1 << 20

// ServeHTTP takes what people press, type and open where Slack sends it over HTTP: one address for interactivity, the
// command and events. Every request has to be signed with the signing secret within the last five minutes; a press that
// comes twice is one, by the id of its event. The answer follows the commit, as on the socket.
func (n *Notifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "Slack posts here", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil || !n.signed(r.Header, body) {
		http.Error(w, "not signed by Slack", http.StatusUnauthorized)
		return
	}
	n.respond(w, n.received(r, body))
}

// signed checks the signature over the body as it came.
func (n *Notifier) signed(h http.Header, body []byte) bool {
	if n.cfg.SigningSecret == "" {
		return false
	}
	v, err := slackapi.NewSecretsVerifier(h, n.cfg.SigningSecret)
	if err != nil {
		return false
	}
	_, _ = v.Write(body) // a hash takes everything
	return v.Ensure() == nil
}

// received carries out a signed request. Only the body counts: the query is not signed.
func (n *Notifier) received(r *http.Request, body []byte) reaction {
	ctx := r.Context()
	if json.Valid(body) {
		return n.eventCallback(body)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return reaction{}
	}
	if raw := form.Get("payload"); raw != "" {
		var cb slackapi.InteractionCallback
		if json.Unmarshal([]byte(raw), &cb) != nil {
			return reaction{}
		}
		return n.pressed(ctx, &cb)
	}
	if form.Get("command") == "" {
		return reaction{}
	}
	return n.command(ctx, &slackapi.SlashCommand{
		TeamID: form.Get("team_id"), ChannelID: form.Get("channel_id"), UserID: form.Get("user_id"), UserName: form.Get("user_name"),
		Command: form.Get("command"), Text: form.Get("text"), TriggerID: form.Get("trigger_id"), APIAppID: form.Get("api_app_id"),
	})
}

// eventCallback answers an event, and the question whether this address is ours.
func (n *Notifier) eventCallback(body []byte) reaction {
	e, err := slackevents.ParseEvent(json.RawMessage(body), slackevents.OptionNoVerifyToken())
	if err != nil {
		return reaction{}
	}
	if e.Type == slackevents.URLVerification {
		var q slackevents.ChallengeResponse
		if json.Unmarshal(body, &q) != nil {
			return reaction{}
		}
		return reaction{payload: map[string]string{"challenge": q.Challenge}}
	}
	return n.happened(&e)
}

// respond acknowledges. What could not be stored is an error, so that the person presses again.
func (n *Notifier) respond(w http.ResponseWriter, r reaction) {
	defer n.offer(r.then)
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case r.lost:
		http.Error(w, "not stored", http.StatusServiceUnavailable)
	case r.payload != nil:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r.payload)
	default:
		w.WriteHeader(http.StatusOK)
	}
}
