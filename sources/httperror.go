package sources

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
)

// SafeError describes a failed request by method, host and cause. net/http puts the whole address into its
// errors, and with it the secrets that feeds and hooks carry in path and query.
func SafeError(method, address string, err error) error {
	return fmt.Errorf("%s %s: %w", method, host(address), safeCause(err))
}

// host is what may be told of an address.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "malformed address"
}

// safeCause returns the part of an error that is known to hold no address. What is not known is not told.
func safeCause(err error) error {
	for _, known := range []error{ErrAddress, ErrTooLarge, errRedirects, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
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
	return errors.New("the request failed")
}

// transient reports an error that a second try may not meet.
func transient(err error) bool {
	if errors.Is(err, ErrAddress) || errors.Is(err, errRedirects) {
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
