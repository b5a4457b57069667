package slack_test

import (
	"testing"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
)

func TestTheChartStandsInTheThread(t *testing.T) {
	s, n := workspace(t)
	picture := &notifier.Chart{PNG: []byte("\x89PNG picture"), Title: "Negative mentions per 30 min", Alt: "The peak is 23."}
	m := notifiertest.Sample()
	m.Chart = picture
	root := tell(t, n, m)
	worse := notifiertest.Line(root, detector.ReasonWorse)
	worse.Chart = picture
	tell(t, n, worse)
	files := s.Files()
	if len(files) != 2 {
		t.Fatalf("%d pictures", len(files))
	}
	for _, f := range files {
		if f.Channel != root.Channel || f.ThreadTS != root.ID || f.Title != picture.Title || f.Alt != picture.Alt || string(f.Data) != string(picture.PNG) {
			t.Errorf("%+v", f)
		}
	}
	clean(t, s)
}

// TestAnAlertIsNotLostWithItsChart: each step of the upload fails once; the message is told once all the same.
func TestAnAlertIsNotLostWithItsChart(t *testing.T) {
	for _, method := range []string{"files.getUploadURLExternal", "files.completeUploadExternal"} {
		for _, f := range []notifiertest.Fault{{Status: 500}, {Status: 429, RetryAfter: "7"}, {Drop: true, After: true}, notifiertest.Refuse("missing_scope")} {
			s, n := workspace(t)
			s.Fail(method, f)
			m := notifiertest.Sample()
			m.Chart = &notifier.Chart{PNG: []byte("x"), Title: "t", Alt: "a"}
			tell(t, n, m)
			if s.Calls("chat.postMessage") != 1 || s.Calls(method) != 1 {
				t.Errorf("%s %+v: %d messages, %d calls", method, f, s.Calls("chat.postMessage"), s.Calls(method))
			}
			clean(t, s)
		}
	}
}
