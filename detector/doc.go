// Package detector is the judgement: is what people say about a brand unusual, and who has to know?
//
// [Judge] scores a mention and matches it against the rules. [Model] holds the whole decision state: series of
// counts with what each has learnt of its own normal, incidents, and the outbox of alerts. Model.Apply,
// Model.Tick and Model.Respond are deterministic: they take the time as an argument, touch nothing outside, and
// return a [Change]. [Detector] is the only shell around them: a lock, a log, metrics and a commit to a [Store].
// [Replay] feeds the same model from a stream without a store.
//
// The way of a mention: Ingest -> Judge (in the caller, side by side) -> Model.Apply -> buckets -> burst
// score -> incident machine -> alerts -> Store.Commit -> the source gets its answer. Nothing is acknowledged
// before it is durable, and nothing is sent from here: a dispatcher drains the outbox.
//
// Each brand has series for what every brand has, and a rule that asks for more has its own (signal.go): for each product,
// source, language or category, or each combination, that it judges by itself (dim.go), and for a rhythm of its own (season.go).
// A series is judged by two channels: bursts (burst.go) as mentions arrive, and slow rises (slow.go) hour by hour. A rule's
// budget decides how high the bar is (budget.go). Rules of other kinds keep a trail (trail.go) of what is normal: shares (shift.go), one
// mention that is passed on (spread.go), numbers such as followers (gauge.go); answers that backfire (backlash.go) are
// bursts; silence.go and correlate.go need nothing of their own. All of them are judged in one place (sight.go). What a collector does is told from what people do (collector.go), and so
// are copies of one text (copies.go). [Counts] is the burst channel alone, for counts that somebody brings along.
//
// An incident has two axes. What the data says (Level) and what people say (Handling) are separate, so that
// an acknowledgement cannot hide growth; next.go, next_tick.go, respond.go and merge.go are that machine. It is the fold of its
// audit trail (fold.go). Complaints that nobody answers have clocks (answers.go), which make incidents of their own.
// [Detector.Standings] says how far a rule is from telling, by what an alert would be made from; [Detector.Course] says how an incident's signal went over a day, [NewReport] how a period went.
//
// # Caveats
//
// A source that comes on line, and a brand, teach for a day before they can raise a burst; so a crisis that is told on a new
// source alone is late. Series are rolled forward lazily, by event time: a brand nobody writes about costs nothing. A source that
// delivers late changes the buckets of the last hours but is never alarming by its arrival alone. In its first
// day a brand's bursts teach and tell nobody; rules of kind each work from the first mention.
package detector
