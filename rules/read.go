package rules

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// ReadYAML reads the one document of a file and tells what keeps it from being read: its encoding, or its form. The node
// of an empty file is nil. The configuration is read by it as rule files are, so that both tell the same.
func ReadYAML(f File) (*yaml.Node, Errors) {
	text := Decoded(f.Data)
	if e := unreadable(f.Name, text); e != nil {
		return nil, Errors{e}
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc); err != nil {
		return nil, syntaxErrors(f.Name, err)
	}
	if len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null" {
		return nil, nil
	}
	return doc.Content[0], nil
}

// Decoded is a file as UTF-8: one in UTF-16 says so by its first two bytes.
func Decoded(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	default:
		return bytes.TrimPrefix(data, []byte("\uFEFF"))
	}
	units := make([]uint16, 0, len(data)/2)
	for rest := data[2:]; len(rest) >= 2; rest = rest[2:] {
		units = append(units, order.Uint16(rest))
	}
	return []byte(string(utf16.Decode(units)))
}

// unreadable tells of the first byte of a text that can be in no file of text.
func unreadable(name string, text []byte) *Error {
	line, start := 1, 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		what, why, hint := "", "", ""
		switch {
		case r == '\n':
			line, start = line+1, i+1
		case r == utf8.RuneError && size == 1:
			what, why, hint = "the file is not UTF-8", fmt.Sprintf("the byte %X is no letter there", text[i]), "save it as UTF-8"
		case r == 0 && bytes.Count(text, []byte{0}) >= len(text)/3:
			what, why, hint = "the file is not UTF-8", "every other byte is 0, as in UTF-16", "save it as UTF-8"
		case r < 0x20 && r != '\t' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			what, why, hint = fmt.Sprintf("the file holds the control character U+%04X", r), "nobody who reads it can see it", "take it out"
		}
		if what != "" {
			at := Pos{name, line, 1 + utf8.RuneCount(text[start:i])}
			return &Error{Pos: at, ID: "syntax", Level: LevelError, What: what, Why: why, Hint: hint}
		}
		i += size
	}
	return nil
}

// syntaxErrors are what the YAML reader could not read.
func syntaxErrors(name string, err error) Errors {
	var all *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	default:
		return Errors{syntaxError(Pos{name, 1, 1}, err.Error())}
	}
	var errs Errors
	for _, e := range all.Errors {
		if text := syntaxText(e); text != "" {
			errs = append(errs, syntaxError(Pos{name, max(e.Mark.Line, 1), max(e.Mark.Column, 1)}, text))
		}
	}
	return errs
}

func syntaxError(at Pos, text string) *Error {
	const hint = "check indentation and brackets; put text that holds : # { [ or & in quotes"
	return &Error{Pos: at, ID: "syntax", Level: LevelError, What: text, Hint: hint}
}

// syntaxText is what one of them says; nothing if the file is empty.
func syntaxText(e *yaml.LoadError) string {
	text := strings.TrimPrefix(e.Message, "yaml: ")
	switch {
	case text == "no documents in stream":
		return ""
	case text == "expected single document, found multiple":
		return "the file holds several documents (a line of ---), one is read"
	case e.ContextMsg == "":
		return text
	case e.ContextMark.Line > 0:
		return fmt.Sprintf("%s, %s that begins at line %d", text, e.ContextMsg, e.ContextMark.Line)
	}
	return text + ", " + e.ContextMsg
}
