package sources

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"syscall"
)

// ErrAddress is what an [*AddressError] is.
var ErrAddress = errors.New("not a public address")

// AddressError is the error for an address that sources may not fetch from. It names the address that was about to be
// connected to, which need not be that of the host that is configured.
type AddressError struct{ Addr string }

func (e *AddressError) Error() string {
	return e.Addr + " is not a public address; outgoing.allow lists exceptions"
}

// Is reports that it is an ErrAddress.
func (e *AddressError) Is(target error) bool { return target == ErrAddress }

// ErrRedirects is the error for a redirect that is not followed, because there are too many or because of where it leads.
var ErrRedirects = errors.New("too many redirects")

// redirectError is an ErrRedirects that says where it leads.
type redirectError string

func (e redirectError) Error() string        { return string(e) }
func (e redirectError) Is(target error) bool { return target == ErrRedirects }

// reserved are the ranges that no public server has an address in. Those of IPv6 that carry an IPv4 address
// are among them whole: who needs one lists it.
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"2001::/23",     // Teredo, ORCHID, benchmarking
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
)

// globalV6 is the only range of IPv6 that public servers are in. Loopback, mapped and NAT64 addresses, ULA,
// link-local and multicast lie outside.
var globalV6 = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// guard decides which addresses may be connected to. It is asked with the address of the connection that
// is about to be made, so that neither redirects nor a name that changes its address get past it.
type guard struct{ allow []netip.Prefix }

// control is the Control function of a net.Dialer.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &AddressError{address}
	}
	return g.check(at.Addr())
}

func (g guard) check(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	if contains(g.allow, a) {
		return nil
	}
	if a.Is6() && !globalV6.Contains(a) || contains(reserved, a) {
		return &AddressError{a.String()}
	}
	return nil
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// redirect limits redirects and keeps what identifies us from going to another host: net/http drops
// Authorization and cookies only, and adds a Referer, which may hold a secret of our address.
func redirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return ErrRedirects
	}
	if s := req.URL.Scheme; s != "http" && s != "https" {
		return redirectError(fmt.Sprintf("a redirect to the scheme %.10q, which is neither http nor https", s))
	}
	req.Header.Del("Referer")
	first := via[0].URL
	if req.URL.Host == first.Host && (req.URL.Scheme == first.Scheme || req.URL.Scheme == "https") {
		return nil
	}
	if req.Body != nil && req.Body != http.NoBody { // of a 307 or 308: what we send may be a secret as a whole
		return redirectError("a redirect of what is sent to another host")
	}
	for name := range req.Header {
		switch name {
		case "Accept", "Accept-Language", "User-Agent":
		default:
			req.Header.Del(name)
		}
	}
	return nil
}
