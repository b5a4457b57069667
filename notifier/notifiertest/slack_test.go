package notifiertest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask makes one call with the bot's token and returns the answer.
func ask(t *testing.T, s *Slack, method string, form ...string) map[string]any {
	t.Helper()
	values := url.Values{"token": {BotToken}, "unfurl_links": {"false"}, "unfurl_media": {"false"}, "parse": {"none"}}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	resp, err := s.Client().PostForm(s.URL()+method, values)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return map[string]any{"status": resp.StatusCode, "retry": resp.Header.Get("Retry-After")}
	}
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func start(t *testing.T) *Slack {
	t.Helper()
	s := NewSlack()
	t.Cleanup(s.Close)
	return s
}

func TestItRefusesWhatSlackRefuses(t *testing.T) {
	s := start(t)
	s.AddChannel(Channel{ID: "C0OLD", Name: "old", Archived: true, Member: true})
	s.AddChannel(Channel{ID: "C0OPEN", Name: "open"})
	for _, c := range []struct {
		method string
		form   []string
		want   string
	}{
		{"chat.postMessage", []string{"token", ""}, "not_authed"},
		{"chat.postMessage", []string{"token", "xoxb-wrong"}, "invalid_auth"},
		{"apps.connections.open", nil, "invalid_auth"}, // wants the app's token
		{"chat.explode", nil, "unknown_method"},
		{"chat.postMessage", []string{"channel", "#nowhere", "text", "x"}, "channel_not_found"},
		{"chat.postMessage", []string{"channel", "#old", "text", "x"}, "is_archived"},
		{"chat.postMessage", []string{"channel", "#open", "text", "x"}, "not_in_channel"},
		{"chat.postMessage", []string{"channel", "#pr-alerts"}, "no_text"},
		{"chat.postMessage", []string{"channel", "#pr-alerts", "text", strings.Repeat("x", 4001)}, "msg_too_long"},
		{"chat.postMessage", []string{"channel", "#pr-alerts", "text", "x", "thread_ts", "1.0"}, "thread_not_found"},
		{"chat.update", []string{"channel", "C0ALERTS", "ts", "1.0", "text", "x"}, "message_not_found"},
		{"conversations.join", []string{"channel", "#open"}, "channel_not_found"}, // ids only
		{"conversations.open", []string{"users", "U0NOBODY"}, "user_not_found"},
		{"views.open", []string{"trigger_id", "old", "view", "{}"}, "invalid_trigger_id"},
	} {
		if got := ask(t, s, c.method, c.form...); got["error"] != c.want {
			t.Errorf("%s %v: %v, want %s", c.method, c.form, got, c.want)
		}
	}
	s.Grant("channels:read")
	if got := ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "x"); got["error"] != "missing_scope" || got["needed"] != "chat:write" {
		t.Errorf("%v", got)
	}
}

func TestItKnowsTheLimitsOfBlocks(t *testing.T) {
	long := strings.Repeat("x", 3001)
	for blocks, at := range map[string]string{
		`[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`:                      "/blocks/0/text/type",
		`[{"type":"header","text":{"type":"plain_text","text":"` + long[:151] + `"}}]`: "/blocks/0/text/text",
		`[{"type":"section"}]`: "/blocks/0",
		`[{"type":"section","text":{"type":"mrkdwn","text":"` + long + `"}}]`:                                                            "/blocks/0/text/text",
		`[{"type":"section","text":{"type":"mrkdwn","text":"x","emoji":true}}]`:                                                          "/blocks/0/text/emoji",
		`[{"type":"section","fields":[{"type":"mrkdwn","text":""}]}]`:                                                                    "/blocks/0/fields/0/text",
		`[{"type":"context","elements":[]}]`:                                                                                             "/blocks/0/elements",
		`[{"type":"carousel"}]`:                                                                                                          "/blocks/0",
		`{"type":"section"}`:                                                                                                             "/blocks",
		`[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"x"}}]}]`:                                    "/blocks/0/elements/0/action_id",
		`[{"type":"actions","elements":[` + button("a", "") + `,` + button("a", "") + `]}]`:                                              "/blocks/0/elements/1/action_id",
		`[{"type":"actions","elements":[` + button("a", `,"style":"red"`) + `]}]`:                                                        "/blocks/0/elements/0/style",
		`[{"type":"actions","elements":[{"type":"overflow","action_id":"a","options":[]}]}]`:                                             "/blocks/0/elements/0/options",
		`[{"type":"actions","elements":[{"type":"overflow","action_id":"a","options":[` + choice(long[:151]) + `]}]}]`:                   "/blocks/0/elements/0/options/0/value",
		`[{"type":"actions","elements":[{"type":"overflow","action_id":"a","options":[` + choice("v") + `,` + choice("v") + `]}]}]`:      "/blocks/0/elements/0/options/1/value",
		`[{"type":"rich_text","elements":[{"type":"rich_text_quote","elements":[{"type":"text","text":""}]}]}]`:                          "/blocks/0/elements/0/elements/0/text",
		`[{"type":"rich_text","elements":[{"type":"rich_text_quote","elements":[{"type":"link","url":"javascript:x","text":"open"}]}]}]`: "/blocks/0/elements/0/elements/0/url",
		`[{"type":"rich_text","elements":[{"type":"rich_text_preformatted","elements":[{"type":"emoji","name":"x"}]}]}]`:                 "/blocks/0/elements/0/elements/0/type",
		`[{"type":"rich_text","elements":[{"type":"text","text":"x"}]}]`:                                                                 "/blocks/0/elements/0/type",
		`[{"type":"actions","elements":[{"type":"overflow","action_id":"a","options":[{"value":"v","text":{"type":"plain_text","text":"x"},"description":{"type":"plain_text","text":"` + long[:76] + `"}}]}]}]`: "/blocks/0/elements/0/options/0/description/text",
		`[{"type":"actions","elements":[` + button("a", `,"accessibility_label":"`+long[:76]+`"`) + `]}]`:                                                                                                        "/blocks/0/elements/0/accessibility_label",
		`[` + input(`"type":"plain_text_input","max_length":9,"initial_value":"0123456789"`) + `]`:                                                                                                               "/blocks/0/element/initial_value",
		`[` + input(`"type":"plain_text_input","max_length":3001`) + `]`:                                                                                                                                         "/blocks/0/element/max_length",
		`[` + input(`"type":"users_select","placeholder":{"type":"plain_text","text":"`+long[:151]+`"}`) + `]`:                                                                                                   "/blocks/0/element/placeholder/text",
		`[` + strings.Repeat(`{"type":"divider"},`, 50) + `{"type":"divider"}]`:                                                                                                                                  "/blocks",
	} {
		s := start(t)
		got := ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "x", "blocks", blocks)
		meta, _ := got["response_metadata"].(map[string]any)
		raw, _ := json.Marshal(meta["messages"])
		if got["error"] != "invalid_blocks" || !strings.Contains(string(raw), "[json-pointer:"+at+"]") || len(s.Violations()) == 0 {
			t.Errorf("%.120s: %v %s, want a problem at %s", blocks, got["error"], raw, at)
		}
	}
}

func button(id, more string) string {
	return `{"type":"button","action_id":"` + id + `","text":{"type":"plain_text","text":"x"},"value":"v"` + more + `}`
}

func input(element string) string {
	return `{"type":"input","block_id":"b","label":{"type":"plain_text","text":"x"},"element":{"action_id":"a",` + element + `}}`
}

// TestItRefusesBlocksThatAreTooLongTogether: each of them is short enough.
func TestItRefusesBlocksThatAreTooLongTogether(t *testing.T) {
	s := start(t)
	b := `{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", 2800) + `"}}`
	for n, want := range map[int]any{3: nil, 4: "msg_blocks_too_long"} {
		blocks := "[" + strings.Repeat(b+",", n-1) + b + "]"
		if got := ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "x", "blocks", blocks); got["error"] != want {
			t.Errorf("%d: %v", n, got)
		}
	}
}

func choice(value string) string {
	return `{"text":{"type":"plain_text","text":"x"},"value":"` + value + `"}`
}

func TestItNotesWhatMustNotBeSent(t *testing.T) {
	for what, form := range map[string][]string{
		"live <!channel>":                     {"text", "<!channel>"},
		"live <@U0INGRID>":                    {"text", "<@U0INGRID>"},
		"live <https://evil|":                 {"text", "see <https://evil|x>"},
		"unescaped < or >":                    {"text", "a < b"},
		"unescaped or cut &":                  {"text", "a & b"},
		"becomes a link":                      {"text", "https://evil.example"},
		"link_names is 1":                     {"text", "x", "link_names", "1"},
		`parse is "full"`:                     {"text", "x", "parse", "full"},
		"previews":                            {"text", "x", "unfurl_links", "true"},
		"blocks without text":                 {"blocks", `[{"type":"divider"}]`},
		"live <!here> at /blocks/0/text/text": {"text", "x", "blocks", `[{"type":"section","text":{"type":"mrkdwn","text":"<!here>"}}]`},
		"\"www.e\" becomes a link":            {"text", "x", "blocks", `[{"type":"section","text":{"type":"mrkdwn","text":"www.evil"}}]`},
		"live <!channel> at /blocks/0/elements/0/elements/0": {"text", "x", "blocks", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"broadcast","range":"channel"}]}]}]`},
	} {
		s := start(t)
		ask(t, s, "chat.postMessage", append([]string{"channel", "#pr-alerts"}, form...)...)
		if v := strings.Join(s.Violations(), "\n"); !strings.Contains(v, what) {
			t.Errorf("%v: noted %q, want %q", form, v, what)
		}
	}
}

func TestItTakesWhatIsAllowed(t *testing.T) {
	s := start(t)
	s.Allow("<!here>", "<@U0INGRID>")
	ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "<!here> &lt;!channel&gt; <!date^1^{date_short_pretty} {time}|16 Nov>",
		"blocks", `[{"type":"section","text":{"type":"mrkdwn","verbatim":true,"text":"<@U0INGRID> www.evil.example"}}]`)
	for _, v := range s.Violations() {
		t.Error(v)
	}
	if len(s.Messages("C0ALERTS")) != 1 {
		t.Error("not posted")
	}
}

func TestItLimitsTheRate(t *testing.T) {
	s := start(t)
	s.Limit(time.Minute)
	ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "x")
	if got := ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "x"); got["status"] != 429 || got["retry"] != "60" {
		t.Errorf("%v", got)
	}
}

func TestMetadataOutlivesAnEditAndIsShownWhenAskedFor(t *testing.T) {
	s := start(t)
	posted := ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "x", "metadata", `{"event_type":"e","event_payload":{"k":"v"}}`)
	ask(t, s, "chat.update", "channel", "C0ALERTS", "ts", posted["ts"].(string), "text", "y")
	if m := s.Messages("#pr-alerts")[0]; m.Text != "y" || m.Metadata.Payload["k"] != "v" {
		t.Errorf("%+v", m)
	}
	for all, want := range map[string]bool{"0": false, "1": true} {
		raw, _ := json.Marshal(ask(t, s, "conversations.history", "channel", "C0ALERTS", "include_all_metadata", all))
		if got := strings.Contains(string(raw), `"k":"v"`); got != want {
			t.Errorf("include_all_metadata=%s: %s", all, raw)
		}
	}
}

func TestWithoutAnAppNobodyCanPress(t *testing.T) {
	s := start(t)
	s.AddUser(User{ID: "U0BORIS", Name: "boris"})
	posted := ask(t, s, "chat.postMessage", "channel", "#pr-alerts", "text", "x", "blocks", `[{"type":"actions","elements":[`+button("a", "")+`]}]`)
	ts := posted["ts"].(string)
	if _, err := s.Click(t.Context(), ts, "a", "v", "U0BORIS"); !errors.Is(err, ErrNoSocket) {
		t.Errorf("%v", err)
	}
	if _, err := s.Click(t.Context(), ts, "a", "other", "U0BORIS"); err == nil || !strings.Contains(err.Error(), "has no a with the value") {
		t.Errorf("%v", err)
	}
}

func FuzzBlocks(f *testing.F) {
	f.Add(`[{"type":"section","text":{"type":"mrkdwn","text":"<!here>"}}]`)
	f.Add(`[{"type":"rich_text","elements":[{"type":"rich_text_list","elements":[1,null,{}]}]}]`)
	f.Add(`[null,[],"x",{"type":7}]`)
	f.Fuzz(func(t *testing.T, blocks string) {
		c := checkBlocks(json.RawMessage(blocks), "/blocks", maxBlocks)
		var list []any
		if json.Unmarshal([]byte(blocks), &list) != nil && len(c.problems) == 0 {
			t.Errorf("taken: %q", blocks)
		}
		_ = (&Message{Blocks: json.RawMessage(blocks)}).Shown()
	})
}
