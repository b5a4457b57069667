package slack

import (
	"bytes"
	"context"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// chartWithin is how long a picture may keep the next message of its channel waiting.
const chartWithin = 10 * time.Second

// illustrate puts the message's chart into the thread. The message is out by now: a picture that does not get through
// is missing, and is told in the log. It is never sent twice, as its message is not.
func (n *Notifier) illustrate(ctx context.Context, m *notifier.Message, ref detector.Ref) {
	if m.Chart == nil || len(m.Chart.PNG) == 0 {
		return
	}
	thread := ref.ID
	if m.Alert.Kind != detector.KindRoot && m.Root.ID != "" {
		thread = m.Root.ID
	}
	ctx, cancel := context.WithTimeout(ctx, chartWithin)
	defer cancel()
	_, err := n.api.UploadFileContext(ctx, slackapi.UploadFileParameters{
		Reader: bytes.NewReader(m.Chart.PNG), FileSize: len(m.Chart.PNG), Filename: "chart.png",
		Title: plain(m.Chart.Title, maxHeader), AltTxt: plain(m.Chart.Alt, maxAlt),
		Channel: ref.Channel, ThreadTimestamp: thread,
	})
	if err != nil {
		n.log.Warn("slack: the chart did not get through", "incident", m.Incident.ID, "error", deliveryError(err, notifier.NotSent))
	}
}
