package rules

// Problem is what an id of [Error] stands for: one sentence on what is wrong, one on why it matters.
type Problem struct{ ID, What, Why string }

// Problems returns all ids that check may tell, those that refuse a file first.
func Problems() []Problem { return problems }

var problems = []Problem{
	{"syntax", "The file cannot be read as YAML", "Nothing of it can be taken."},
	{"limit", "The file asks for more than may be spent on it", "What analysts write must not slow down or stop the reading of mentions."},
	{"key", "A key is unknown, missing, or stands where it does nothing", "What it was meant to do would not happen, unnoticed."},
	{"type", "A value is not of the form that its key takes", "It could not be understood as it was meant."},
	{"config", "The configuration of the program does not fit", "It would start and stay silent, or not start."},
	{"E01", "Something is referred to that nobody has defined", "The reference leads nowhere."},
	{"E02", "An id or a key is there twice", "Only one of the two could count."},
	{"E03", "Severity 1 or 2 could be silenced", "What is grave reaches people at once, by night as well."},
	{"E04", "A route reaches nobody", "What goes there is lost."},
	{"E05", "A window is too long, or of a length that is not counted", "It could not be compared with enough of the past."},
	{"E06", "A floor is missing or cannot be reached", "One or two people would be an alarm, or nobody ever."},
	{"E07", "A time zone, a day or a span of time does not exist", "Clocks and calendars depend on it."},
	{"E08", "A draft fails a guard", "Nobody could send it in the hour it is meant for."},
	{"E09", "A template has an unknown slot or filter", "The draft could never be filled in."},
	{"E10", "A condition cannot be read, or asks for what is not known there", "It would never hold."},
	{"E11", "An escalation ladder leads back, or does not rise in time", "Nobody else would ever be asked."},
	{"E12", "A regular expression is not RE2, costs too much, or matches everything", "Every mention of the brand is held against it."},
	{"E13", "A term holds invisible characters", "Nobody who reads the file can see what it matches."},
	{"E14", "Rules are to tell together that never can", "The rule would be silent for ever."},
	{"W01", "A brand's name is a word of everyday", "Much is counted that is not about the brand."},
	{"W02", "A term is very short", "It matches by accident."},
	{"W03", "No test expects a rule", "Nobody notices when it has stopped telling."},
	{"W04", "Rules together may tell more than their route is willing to hear", "What is over is folded into a digest."},
	{"W05", "Two rules look at nearly the same mentions", "The same people are told twice of one thing."},
	{"W06", "A rule is silent, or tells far more than its budget", "It no longer fits what is said, or it never did."},
	{"W07", "A playbook lacks a language of the brand", "People who write in it get no draft."},
	{"W08", "No playbook answers for a category", "Its complaints get the general drafts."},
	{"W09", "Answer clocks do not fit the hours of those who answer", "Complaints wait longer than the clock seems to promise."},
	{"W10", "No rule tells that a source has gone quiet", "A source that is down looks like calm."},
	{"W11", "A brand has no own_authors", "What it writes itself is counted, and its answers are not known as such."},
	{"W12", "A term mixes scripts or is not in Unicode NFC", "It looks like another word, and matches what nobody sees."},
	{"W13", "A brand has a handle where no source reads", "Nothing will come from there."},
	{"W14", "A condition changes no severity", "It does nothing when it holds."},
	{"W15", "A planned window or a holiday has ended", "It changes nothing any more."},
	{"W16", "No rule is in force for a brand", "Nobody would be told anything about it."},
}
