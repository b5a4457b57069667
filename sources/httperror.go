package sources

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Errors of connections that mean that the address is wrong.
var (
	// ErrNoTLS: https was asked of a server that answers without TLS.
	ErrNoTLS = errors.New("the server does not speak TLS there")
	// ErrNoHTTP: what came back is no HTTP.
	ErrNoHTTP = errors.New("the answer is no HTTP")
)

// SafeError describes a failed request by method, host and cause, and by the host of a redirect that failed. net/http
// puts the whole address into its errors, and with it the secrets that feeds and hooks carry in path and query.
func SafeError(method, address string, err error) error {
	at, last := host(address), ""
	if e, ok := errors.AsType[*url.Error](err); ok {
		last = host(e.URL)
	}
	if last != "" && last != at && last != noHost {
		return fmt.Errorf("%s %s: redirected to %.100s: %w", method, at, last, safeCause(err))
	}
	return fmt.Errorf("%s %s: %w", method, at, safeCause(err))
}

const noHost = "malformed address"

// host is what may be told of an address.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return noHost
}

// safeCause returns the part of an error that is known to hold no address. What is not known is not told.
func safeCause(err error) error {
	for _, known := range []error{ErrTooLarge, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
	}
	if cause, ok := errors.AsType[*AddressError](err); ok {
		return cause
	}
	if cause, ok := errors.AsType[redirectError](err); ok {
		return cause
	}
	if errors.Is(err, ErrRedirects) {
		return ErrRedirects
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return ErrNoTLS
	}
	if cause, ok := errors.AsType[*net.DNSError](err); ok {
		return cause
	}
	if cause, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return cause
	}
	if cause, ok := errors.AsType[*net.OpError](err); ok {
		return cause
	}
	if cause, ok := errors.AsType[net.Error](err); ok && cause.Timeout() {
		return errors.New("timed out")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection was closed early")
	}
	if strings.Contains(err.Error(), "malformed HTTP") { // net/http has no name for it
		return ErrNoHTTP
	}
	return errors.New("the request failed")
}

// transient reports an error that a second try may not meet.
func transient(err error) bool {
	if errors.Is(err, ErrAddress) || errors.Is(err, ErrRedirects) {
		return false
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return false
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	cause, ok := errors.AsType[net.Error](err)
	return ok && cause.Timeout() || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
