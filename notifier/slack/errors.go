package slack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/notifier"
)

// Waits after a 429: what Slack asks for within bounds, and what to do if it does not say.
const (
	leastWait   = time.Second
	mostWait    = 2 * time.Minute
	defaultWait = 30 * time.Second
	socketWait  = 2 * time.Second // until then nobody can press anything; slack-go waits longer each time
)

var errGarbage = errors.New("the answer makes no sense")

// outcomes are Slack's refusals. Of internal_error and fatal_error Slack itself says that part of the
// operation may have succeeded. A code that is not listed is a refusal worth another try.
var outcomes = map[string]notifier.Outcome{
	"internal_error": notifier.Unknown, "fatal_error": notifier.Unknown,
	"ratelimited": notifier.Busy, "rate_limited": notifier.Busy, "message_limit_exceeded": notifier.Busy,
	"service_unavailable": notifier.Down, "request_timeout": notifier.NotSent, "team_added_to_org": notifier.NotSent,

	"channel_not_found": notifier.ForGood, "is_archived": notifier.ForGood, "not_in_channel": notifier.ForGood,
	"restricted_action": notifier.ForGood, "restricted_action_thread_only_channel": notifier.ForGood,
	"restricted_action_read_only_channel": notifier.ForGood, "restricted_action_thread_locked": notifier.ForGood,
	"restricted_action_non_threadable_channel": notifier.ForGood, "messages_tab_disabled": notifier.ForGood,
	"token_revoked": notifier.ForGood, "token_expired": notifier.ForGood, "account_inactive": notifier.ForGood,
	"invalid_auth": notifier.ForGood, "not_authed": notifier.ForGood, "missing_scope": notifier.ForGood,
	"not_allowed_token_type": notifier.ForGood, "no_permission": notifier.ForGood, "access_denied": notifier.ForGood,
	"ekm_access_denied": notifier.ForGood, "org_login_required": notifier.ForGood, "team_access_not_granted": notifier.ForGood,
	"two_factor_setup_required": notifier.ForGood, "invalid_arguments": notifier.ForGood,
	"invalid_blocks": notifier.ForGood, "invalid_blocks_format": notifier.ForGood, "msg_too_long": notifier.ForGood,
	"msg_blocks_too_long": notifier.ForGood, "no_text": notifier.ForGood, "invalid_metadata_format": notifier.ForGood,
	"metadata_too_large": notifier.ForGood, "user_not_found": notifier.ForGood, "users_not_found": notifier.ForGood,
	"user_disabled": notifier.ForGood, "user_not_visible": notifier.ForGood, "cannot_dm_bot": notifier.ForGood,
	"message_not_found": notifier.ForGood, "thread_not_found": notifier.ForGood, "cant_update_message": notifier.ForGood,
	"edit_window_closed": notifier.ForGood, "unknown_method": notifier.ForGood,
}

// badLayout reports whether text alone may still get through.
func badLayout(reason string) bool {
	switch reason {
	case "invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long":
		return true
	}
	return false
}

// maybePosted is the error of a post that reached Slack's side: what Slack did not refuse is Unknown.
func maybePosted(err error) error { return deliveryError(err, notifier.Unknown) }

// beforePost is the error of a call that certainly left no message behind: at worst it is worth another try.
func beforePost(err error) error { return deliveryError(err, notifier.NotSent) }

// unreachable is the error of a call for which there was no connection.
func unreachable(err error) error { return deliveryError(err, notifier.Down) }

func forGood(reason string) error {
	return &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: reason}
}

// reason returns the word of a delivery error; empty for none.
func reason(err error) string {
	if e, ok := errors.AsType[*notifier.DeliveryError](err); ok {
		return e.Reason
	}
	return ""
}

// deliveryError sorts an error of slack-go; doubt is the outcome of what is neither done nor refused.
func deliveryError(err error, doubt notifier.Outcome) *notifier.DeliveryError {
	if limited, ok := errors.AsType[*slackapi.RateLimitedError](err); ok {
		return busy(limited.RetryAfter)
	}
	if refused, ok := errors.AsType[slackapi.SlackErrorResponse](err); ok {
		return refusal(refused, doubt)
	}
	if status, ok := errors.AsType[slackapi.StatusCodeError](err); ok {
		return statusError(status.Code, doubt)
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return &notifier.DeliveryError{Outcome: doubt, Reason: noName, Err: unresolved(lookup)}
	}
	safe := harmless(err)
	return &notifier.DeliveryError{Outcome: doubt, Reason: strings.ReplaceAll(safe.Error(), " ", "_"), Err: safe}
}

// noName is the reason where the name of Slack's server leads nowhere.
const noName = "name_not_found"

func unresolved(err *net.DNSError) error {
	return fmt.Errorf("the name %s cannot be resolved; look at DNS or the network", err.Name)
}

func busy(wait time.Duration) *notifier.DeliveryError {
	if wait <= 0 {
		wait = defaultWait
	}
	return &notifier.DeliveryError{Outcome: notifier.Busy, Reason: "ratelimited", RetryAfter: min(max(wait, leastWait), mostWait)}
}

func refusal(r slackapi.SlackErrorResponse, doubt notifier.Outcome) *notifier.DeliveryError {
	code := word(r.Err)
	o, known := outcomes[code]
	switch {
	case !known:
		o = notifier.NotSent
	case o == notifier.Busy:
		e := busy(0)
		e.Reason = code
		return e
	case o == notifier.Unknown:
		o = doubt
	}
	return &notifier.DeliveryError{Outcome: o, Reason: code, Err: detail(r)}
}

// statusError sorts an answer that is not 200. A 4xx is a refusal of something in between or of a wrong
// api_url; a 5xx says nothing about the message.
func statusError(code int, doubt notifier.Outcome) *notifier.DeliveryError {
	switch {
	case code == http.StatusTooManyRequests:
		return busy(0)
	case code < 500 && code != http.StatusRequestTimeout:
		doubt = notifier.NotSent
	}
	return &notifier.DeliveryError{Outcome: doubt, Reason: fmt.Sprintf("http_%d", code)}
}

var (
	wordForm = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)
	pointer  = regexp.MustCompile(`json-pointer:(/[a-z0-9_/]*)`)
)

// word returns a code of Slack's as it may be shown: whatever sits behind api_url could write anything there.
func word(code string) string {
	if wordForm.MatchString(code) {
		return code
	}
	return "unreadable_code"
}

// detail is what helps to repair: the places in the blocks, or the scope that is missing. Never the text.
func detail(r slackapi.SlackErrorResponse) error {
	var parts []string
	for _, m := range r.ResponseMetadata.Messages {
		if p := pointer.FindStringSubmatch(m); p != nil {
			parts = append(parts, "at "+p[1])
		}
	}
	if r.Needed != "" {
		parts = append(parts, "needs "+word(strings.NewReplacer(":", "_", ".", "_").Replace(r.Needed)))
	}
	if parts == nil {
		return nil
	}
	return errors.New(strings.Join(parts, ", "))
}

// harmless says in our own words what went wrong on the way: errors of net/http carry the address, which may
// hold a secret.
func harmless(err error) error {
	if e, ok := errors.AsType[*notifier.DeliveryError](err); ok {
		return e // made of our own words already
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("timeout")
	case errors.Is(err, errGarbage) || isGarbage(err):
		return errGarbage
	}
	if r, ok := errors.AsType[slackapi.SlackErrorResponse](err); ok {
		return errors.New(word(r.Err))
	}
	return errors.New(onTheWay(err))
}

func isGarbage(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	_, size := errors.AsType[*http.MaxBytesError](err)
	return syntax || kind || size
}

// onTheWay names a failure of the connection.
func onTheWay(err error) string {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return unresolved(lookup).Error()
	}
	if isTLS(err) {
		return "tls failed"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection lost"
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return "no connection"
	}
	return "call failed"
}

func isTLS(err error) bool {
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return record || verify || alert || host || errors.Is(err, http.ErrSchemeMismatch)
}

// retryAfter makes the seconds of a Retry-After that may also be a date, or nothing at all: then they are unsaid.
func retryAfter(header string, unsaid time.Duration, now time.Time) string {
	wait := unsaid
	if s, err := strconv.ParseInt(strings.TrimSpace(header), 10, 32); err == nil && s >= 0 {
		wait = time.Duration(s) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	wait = min(max(wait, leastWait), mostWait)
	return strconv.Itoa(int((wait + time.Second - 1) / time.Second))
}
