// Package notifiertest is what the notifiers are tested with.
//
// [Slack] is a strict stand-in for Slack on the loopback: the few Web API methods that are used, and a real
// Socket Mode websocket. It refuses what Slack refuses (tokens, scopes, Block Kit limits, unknown threads,
// archived channels, rates), can fail in every way that matters ([Fault]), and notes as a violation what Slack
// would silently swallow or what must never happen: a mention or link that nobody allowed, an
// acknowledgement that takes a second (except with the race detector, which makes everything slow) or is too large.
// It needs no testing.T, so that a person can also run it by hand.
//
// [Run] is the contract that every notifier has to pass, through a [Harness].
//
// The package never talks to anything but its own listener, and keeps everything in memory.
//
// # Caveats
//
// Lengths are counted in UTF-16 units, as strict as any reading of Slack's "characters". What Slack does with
// a message on a phone cannot be seen here.
package notifiertest
