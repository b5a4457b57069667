package email

import (
	"cmp"
	"strings"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// headlines say for each reason what has happened.
var headlines = map[detector.NotifyReason]string{
	detector.ReasonFirst: "New", detector.ReasonWorse: "Worse", detector.ReasonNewSource: "In another source",
	detector.ReasonEscalated: "Nobody has acknowledged", detector.ReasonReminder: "Still nobody is on it",
	detector.ReasonLeaseEnded: "The acknowledgement has ended", detector.ReasonSnoozeOver: "The snooze has ended",
	detector.ReasonCalm: "Calm again", detector.ReasonResolved: "Closed", detector.ReasonReopened: "Open again",
	detector.ReasonSourceDown: "A source is silent", detector.ReasonDeliveryFailed: "Could not be told elsewhere",
	detector.ReasonUpdated: "Changed", detector.ReasonDigest: "Digest",
}

func headline(m *notifier.Message) string {
	return cmp.Or(headlines[m.Alert.Reason], line(string(m.Alert.Reason), longestName))
}

func severity(i *detector.Incident) string {
	if !i.Open() {
		return "closed"
	}
	return strings.ToUpper(i.Severity.String())
}

// handling says what people do about it.
func handling(i *detector.Incident) string {
	by := func(name string) string {
		if name == "" {
			return ""
		}
		return " by " + line(name, longestName)
	}
	switch i.Handling {
	case detector.Acked:
		return "acknowledged" + by(i.Owner) + " until " + clock(i.LeaseUntil)
	case detector.Snoozed:
		return "snoozed" + by(i.Owner) + " until " + clock(i.SnoozeUntil) + ", or until it gets worse"
	case detector.Closed:
		return strings.ReplaceAll(string(cmp.Or(i.Closing, "closed")), "_", " ") + by(i.ClosedBy)
	}
	return "nobody is on it yet"
}
