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

// declaration is the XML declaration, declared one that names the encoding.
var (
	declaration = regexp.MustCompile(`^\s*<\?xml[^>]*>`)
	declared    = regexp.MustCompile(`^\s*<\?xml[^>]*\sencoding\s*=`)
)

// prepare makes a document fit for the parser, or refuses it: one in UTF-16 or in an encoding that only the
// HTTP header names becomes UTF-8, deep nesting and DTDs with content of their own are errors.
func prepare(body []byte, contentType string) ([]byte, error) {
	body, err := toUTF8(body, contentType)
	if err != nil {
		return nil, err
	}
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
		return nil, errors.New("the document is empty")
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
	if declared.Match(body) || utf8.Valid(body) {
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
	depth := 0
	for {
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
			return errors.New("the document brings a DTD of its own")
		case tag[1] == '!' || tag[1] == '?' || bytes.HasSuffix(tag, []byte("/>")):
		case tag[1] == '/':
			depth = max(depth-1, 0)
		default:
			depth++
		}
		if depth > sources.MaxDepth {
			return fmt.Errorf("the document is nested more than %d deep", sources.MaxDepth)
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
