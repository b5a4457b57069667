// Package store keeps the detector's memory on disk: what it decided, what it has seen, and the texts it
// rests on. It is the one implementation of [detector.Store] and [detector.Reader].
//
// The noun is [DB], an open data folder. [DB.Commit] takes a [detector.Change] and returns when it is on
// disk, all or nothing; [DB.Load] gives back what a model is made from after a restart. Everything else
// reads ([DB.Mentions], [DB.Incident], [DB.Counts], …) or looks after the folder ([DB.Retain],
// [DB.Backup], [DB.Check], [DB.Compact], [DB.EraseAuthor], [Restore]); what was done to it as a whole is in the
// system chain ([DB.Record]).
//
// # Layout
//
// The folder (mode 0700, files 0600) holds bbolt files:
//
//	state.db              precious: everything that a decision needs, changed in one transaction
//	mentions-YYYYMMDD.db  the archive, one file a day of created_at (UTC): texts, authors, item records
//	items-YYYYMM.db       item records of days whose text has expired: numbers, no text, no author
//	backup/               one folder for each backup
//	emberwatch.lock       held by the process that has the folder open
//
// A commit writes the archive first and state.db second. The keys of the archive follow from the mention,
// so that a crash between the two only repeats work. Each file has a name table of its own for our own
// vocabulary (brands, categories, rules); the files are therefore readable one by one. Words that come from
// outside (sources, networks, languages) are stored as they are and can never fill a name table.
//
//	state.db         key                              value
//	meta             name                             schema, instance key, last alert, time of the last commit
//	word             number                           a word of the name table
//	cursor           source                           where the source goes on
//	series           brand, signal                    the blob of the series, as handed in
//	brand            id                               JSON
//	item             brand, time, hash                what the model remembers of a mention
//	incident         id                               JSON; incident_opened, incident_ended: by time
//	audit            incident (or system), number     JSON
//	outbox           number                           JSON of an alert that is not done
//	outbox_done      number                           JSON of one that is (30 days)
//	outbox_key       key of the alert                 its number
//	root             incident, number                 empty: the sent roots of an incident
//	slackref         channel, id                      JSON of [Posted]
//	done             day / operation                  JSON of a result (48 hours)
//	delivery         day / source, delivery           digest of the body (48 hours)
//	waiting          brand, hash of the key, rule     JSON of a complaint that waits for an answer
//	seen             day of arrival / hash of the key when, and for which brands (35 days)
//
//	archive file     key                              value
//	item             brand, time, hash                the compact record: scores and counts
//	text             the same                         JSON of the judged mention (day files only)
//	author           keyed hash, item key             empty: finds what one person wrote (day files only)
//
// Every value but those of meta and series starts with a version byte. A version that is not known is
// refused, never guessed; a schema that is older is migrated after a backup, a newer one is refused.
//
// # Caveats
//
// There is one writer per folder: a second [Open] fails with a [*LockedError]. Inside the process Commit,
// Retain, Backup and their like take turns; readers never wait for them, except for a file that is being
// replaced at that moment.
//
// bbolt leaves deleted bytes in free pages. Text that was deleted at its source is gone for readers at
// once and from the bytes of the file at the next Retain; EraseAuthor rewrites at once. Backups keep what
// they held until they expire.
//
// Long read transactions make a file grow; nothing here hands one out.
//
// # Reading the source
//
// db.go, volume.go and shelf.go open the files; codec.go, item.go and record.go are the records; commit.go,
// place.go, archive.go and load.go are the way in and back; lookup.go, fetch.go, incidents.go, mentions.go
// and counts.go answer readers; the rest is the care of the folder, one verb a file.
package store
