package jsonl

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"emberwatch/sources"
)

// mark is the place reached in one file, with what is needed to recognise the file.
type mark struct {
	Offset  int64  `json:"offset"` // bytes read; of a packed file: bytes that Print covers
	Line    int    `json:"line"`   // number of the next line
	Records int    `json:"records,omitempty"`
	Size    int64  `json:"size,omitempty"` // of a packed file, when it was opened
	Done    bool   `json:"done,omitempty"` // a packed file was read to its end
	Print   string `json:"print"`
}

// marks are the places in all files by path: the cursor of the source.
type marks map[string]mark

// rotated is where the mark of a file goes when another takes its name, until that file is met again.
func rotated(path string) string { return "rotated:" + path }

func parseMarks(c sources.Cursor) (marks, error) {
	m := marks{}
	if len(c) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(c, &m); err != nil {
		return nil, fmt.Errorf("stored cursor: %w", err)
	}
	return m, nil
}

func (m marks) cursor() (sources.Cursor, error) { return json.Marshal(m) }

// reconcile carries the marks of the last run over to the files of this one. A file goes by its own mark if
// that still fits, else by one of a file that is gone from its place: it was renamed meanwhile. Marks that
// fit nothing are dropped, so that the cursor does not grow with every file that ever was.
func (m marks) reconcile(files []string) marks {
	kept := marks{}
	var strangers []string
	for _, path := range files {
		if known := m[path]; known.fitsPath(path) {
			kept[path] = known
		} else {
			strangers = append(strangers, path)
		}
	}
	for _, path := range strangers {
		for name, known := range m {
			if _, here := kept[name]; !here && known.fitsPath(path) {
				kept[path] = known
			}
		}
	}
	return kept
}

// take returns the mark that fits an open file, be it one that had to give up its name. A file that fits
// none is new.
func (m marks) take(path string, f *os.File) mark {
	if known := m[path]; known.fits(f) {
		return known
	}
	for name, known := range m {
		if strings.HasPrefix(name, rotated("")) && known.fits(f) {
			delete(m, name)
			return known
		}
	}
	return mark{Line: 1}
}

func (m mark) fitsPath(path string) bool {
	if m.Offset == 0 {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return m.fits(f)
}

// fits reports whether the file begins with, and around the place reached still holds, what was read.
func (m mark) fits(f *os.File) bool {
	if m.Offset == 0 {
		return false
	}
	print, err := fingerprint(f, m.Offset)
	return err == nil && print == m.Print
}

// fingerprint is a hash of the first 512 bytes of a file and the last 512 before an offset. It fails for a
// file shorter than that.
func fingerprint(f io.ReaderAt, offset int64) (string, error) {
	const n = 512
	h := sha256.New()
	for _, from := range []int64{0, max(0, offset-n)} {
		part := make([]byte, min(n, offset))
		if _, err := f.ReadAt(part, from); err != nil && !(err == io.EOF && len(part) == 0) {
			return "", err
		}
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}
