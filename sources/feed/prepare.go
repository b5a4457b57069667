package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"emberwatch/sources"
)

// declaration is the XML declaration, encoding what names an encoding in it.
var (
	declaration = regexp.MustCompile(`^\s*<\?xml\s(?s:.*?)\?>`)
	encoding    = regexp.MustCompile(`encoding\s*=\s*["']([^"']*)`)
)

// Bounds of an XML document. The parser copies all namespaces in scope for every element, and puts the base
// address before every link: without bounds 120 kB keep it busy for seconds and 8 MB for hours.
const (
	maxTags       = 500_000
	maxNamespaces = 64   // declarations in scope
	maxBase       = 1024 // bytes of xml:base in scope
)

// prepare makes a document fit for the parser, or refuses it: whatever is not in UTF-8 becomes so, as the checks
// and the parser must see the same; deep nesting, too many namespaces and DTDs with content of their own are
// errors.
func prepare(body []byte, contentType string) ([]byte, error) {
	body, err := toUTF8(body, contentType)
	if err != nil {
		return nil, err
	}
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
		return nil, fmt.Errorf("the document is empty: %w", ErrNoFeed)
	case trimmed[0] == '{':
		return body, sources.CheckDepth(body)
	}
	return body, checkXML(body)
}

func toUTF8(body []byte, contentType string) ([]byte, error) {
	if bytes.HasPrefix(body, []byte{0xff, 0xfe}) || bytes.HasPrefix(body, []byte{0xfe, 0xff}) {
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
		decoded, _, err := transform.Bytes(utf16, body)
		if err != nil {
			return nil, errors.New("the document is not the UTF-16 that it begins as")
		}
		return declaration.ReplaceAll(decoded, nil), nil // what it said about the encoding is no longer true
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	said := declaration.Find(body)
	if label := encoding.FindSubmatch(said); label != nil {
		r, err := charset.NewReaderLabel(string(label[1]), bytes.NewReader(body[len(said):]))
		if err != nil {
			return nil, errors.New("the encoding that the document declares is not known")
		}
		return io.ReadAll(r)
	}
	if utf8.Valid(body) {
		return body, nil
	}
	r, err := charset.NewReader(bytes.NewReader(body), contentType)
	if err != nil {
		return nil, errors.New("the encoding of the document is not known")
	}
	return io.ReadAll(r)
}

// checkXML walks over the tags of a document without building anything. It sees every "<" outside comments
// and CDATA, in whatever encoding the rest is, and rather counts one too many.
func checkXML(b []byte) error {
	var open []scope // of the elements that are open
	for tags := 0; ; tags++ {
		at := bytes.IndexByte(b, '<')
		if at < 0 {
			return nil
		}
		b = b[at:]
		end := markupEnd(b)
		if end < 0 {
			return nil // cut off; the parser says so better
		}
		tag := b[:end]
		b = b[end:]
		switch {
		case bytes.HasPrefix(tag, []byte("<!DOCTYPE")) && bytes.IndexByte(tag, '[') >= 0:
			return ErrDTD
		case tag[1] == '?' && declaration.Match(tag) && bytes.Contains(tag, []byte("encoding")):
			return errors.New("the document changes its encoding") // what follows would be read otherwise than here
		case tags == maxTags:
			return fmt.Errorf("the document has more than %d tags", maxTags)
		case tag[1] == '!' || tag[1] == '?':
			continue
		case tag[1] == '/':
			open = open[:max(len(open)-1, 0)]
			continue
		}
		inner, err := within(open, tag)
		if err != nil {
			return err
		}
		if !bytes.HasSuffix(tag, []byte("/>")) {
			open = append(open, inner)
		}
		if len(open) > sources.MaxDepth {
			return fmt.Errorf("the document is nested more than %d deep", sources.MaxDepth)
		}
	}
}

// scope is what an element and those around it declare for all that they hold.
type scope struct{ namespaces, base int }

// within is the scope of an element that begins with tag.
func within(open []scope, tag []byte) (scope, error) {
	var s scope
	if len(open) > 0 {
		s = open[len(open)-1]
	}
	s.namespaces += bytes.Count(tag, []byte("xmlns:")) // one without a prefix replaces the one before
	s.base += baseLength(tag)
	switch {
	case s.namespaces > maxNamespaces:
		return s, fmt.Errorf("the document declares more than %d namespaces at one place", maxNamespaces)
	case s.base > maxBase:
		return s, fmt.Errorf("the document has an xml:base of more than %d bytes", maxBase)
	}
	return s, nil
}

// baseLength is the length of the values of attributes named base with any prefix.
func baseLength(tag []byte) (n int) {
	for {
		_, after, ok := bytes.Cut(tag, []byte(":base"))
		if !ok {
			return n
		}
		tag = after
		if at := bytes.IndexAny(after, `"'`); at >= 0 {
			value, _, _ := bytes.Cut(after[at+1:], after[at:at+1])
			n += len(value)
		}
	}
}

// markupEnd returns where the tag, comment, CDATA section or instruction ends that b begins with, or -1. A
// ">" within quotes does not end a tag.
func markupEnd(b []byte) int {
	for _, m := range [][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}} {
		if !bytes.HasPrefix(b, []byte(m[0])) {
			continue
		}
		if n := bytes.Index(b[2:], []byte(m[1])); n >= 0 {
			return 2 + n + len(m[1])
		}
		return -1
	}
	quote := byte(0)
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return -1
}
