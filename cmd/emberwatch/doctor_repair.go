package main

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"syscall"

	"emberwatch/sources"
	"emberwatch/sources/feed"
	"emberwatch/sources/youtube"
)

// sourceRepair says what to do about an error of a source, by its class.
func sourceRepair(err error) string {
	if refused, ok := errors.AsType[*sources.AddressError](err); ok {
		return "add the network of " + refused.Addr + " to outgoing.allow if it is meant, or use another address"
	}
	if status, ok := errors.AsType[*sources.StatusError](err); ok && !errors.Is(err, youtube.ErrQuota) {
		return statusRepair(status.Status)
	}
	for _, r := range repairs {
		if errors.Is(err, r.is) {
			return r.do
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "correct the host name in url, or look at the name server of this machine"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "use the host name that the certificate is for; if it is the server's own, add its authority to this machine's trusted ones"
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return "look at the network, a firewall or proxy on the way, and whether the server is up"
	}
	return "look at its keys in the configuration; the README has an example of each type"
}

var repairs = []struct {
	is error
	do string
}{
	{youtube.ErrQuota, "wait until then; or lower budget, name fewer videos, or ask Google for a larger quota"},
	{feed.ErrNoFeed, "url has to lead to the RSS, Atom or JSON feed itself, not to a page; the page often names it as <link rel=alternate>"},
	{feed.ErrDTD, "use a feed without a DTD: with one, a small document can become a huge one, or read files"},
	{sources.ErrNoTLS, "write http:// instead of https:// in url if that is meant, or correct the port"},
	{sources.ErrNoHTTP, "correct the port in url; write https:// if the server speaks TLS there"},
	{sources.ErrRedirects, "open url in a browser, and use the address where it ends"},
	{sources.ErrTooLarge, "use an address that gives less at once, such as a feed of the newest items only"},
	{syscall.ECONNREFUSED, "nobody listens there: look whether the server is up, and at the port in url"},
	{fs.ErrPermission, "let the user that runs emberwatch read it"},
	{fs.ErrNotExist, "correct path"},
}

// statusRepair says what to do about an answer of a server.
func statusRepair(status int) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "the server wants to know who asks, or refuses who does: look at the token, key or credentials of the source, and at what they allow"
	case status == http.StatusNotFound, status == http.StatusGone:
		return "there is nothing at this address: correct url, or the name of what is asked for"
	case status == http.StatusTooManyRequests:
		return "wait as long as it asks for; then ask less: raise every, or set budget"
	case status >= 500:
		return "the server has trouble: try again later, and look at its status page"
	}
	return "the server does not understand what is asked for: look at the values of the source's keys"
}
