package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// bbolt maps its file into memory and trusts it: a file cut short or overwritten ends the process with a
// fault that nobody can catch. Everything here reads the file by ordinary means first, so that damage
// becomes an error. The layout is that of bbolt's format version 2 (its internal/common package).
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeader = 16 // id u64, flags u16, count u16, overflow u32
	metaSize   = 64 // magic, version, page size, flags u32; root, sequence, freelist, pages, txid, checksum u64
	elemSize   = 16 // branch: pos, ksize u32, page u64; leaf: flags, pos, ksize, vsize u32
	bucketSize = 16 // root page u64, sequence u64

	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10
	bucketFlag   = 0x01 // of a leaf element

	noFreelist = ^uint64(0)
)

var native = binary.NativeEndian

// boltMeta is one of the two meta pages of a bbolt file.
type boltMeta struct {
	pageSize, root, freelist, pages, txid uint64
}

// verifyFile reports what is wrong with the pages of a bbolt file. Without deep it reads the meta pages
// and compares the size of the file; with deep it follows every page that the file uses. Nobody may
// write to the file meanwhile.
func verifyFile(path string, deep bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m, err := readMeta(f)
	if err != nil {
		return err
	}
	if need := m.pages * m.pageSize; uint64(info.Size()) < need {
		return fmt.Errorf("the file was cut short: %d of %d bytes", info.Size(), need)
	}
	if !deep {
		return nil
	}
	return walkPages(f, m)
}

// readMeta returns the newer of the meta pages that hold their checksum.
func readMeta(f io.ReaderAt) (boltMeta, error) {
	first, ok := metaAt(f, 0)
	size := uint64(os.Getpagesize())
	if ok {
		size = first.pageSize
	}
	second, ok2 := metaAt(f, int64(size))
	switch {
	case ok && ok2 && second.txid > first.txid, !ok && ok2:
		return second, nil
	case ok:
		return first, nil
	}
	return boltMeta{}, errors.New("it has no valid header")
}

func metaAt(f io.ReaderAt, off int64) (boltMeta, bool) {
	var b [pageHeader + metaSize]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		return boltMeta{}, false
	}
	v := b[pageHeader:]
	sum := fnv.New64a()
	sum.Write(v[:56])
	m := boltMeta{
		pageSize: uint64(native.Uint32(v[8:])), root: native.Uint64(v[16:]), freelist: native.Uint64(v[32:]),
		pages: native.Uint64(v[40:]), txid: native.Uint64(v[48:]),
	}
	ok := native.Uint32(v) == boltMagic && native.Uint32(v[4:]) == boltVersion && native.Uint64(v[56:]) == sum.Sum64()
	return m, ok && m.pageSize >= 512 && m.pageSize <= 1<<24 && m.pages < 1<<40
}

// walker follows the pages of a file, each at most once.
type walker struct {
	f       io.ReaderAt
	meta    boltMeta
	visited []uint64 // one bit a page
	todo    []link
	buf     []byte
}

// link leads to a page whose keys are all at least min and below max (nil: open).
type link struct {
	id       uint64
	min, max []byte
}

func walkPages(f io.ReaderAt, m boltMeta) error {
	w := &walker{f: f, meta: m, visited: make([]uint64, m.pages/64+1), todo: []link{{id: m.root}}}
	if m.freelist != noFreelist {
		p, err := w.page(m.freelist)
		if err != nil {
			return err
		}
		if flagsOf(p) != freelistFlag {
			return fmt.Errorf("page %d is no list of free pages", m.freelist)
		}
	}
	for len(w.todo) > 0 {
		next := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		p, err := w.page(next.id)
		if err != nil {
			return err
		}
		if err := w.elements(p, next); err != nil {
			return fmt.Errorf("page %d: %w", next.id, err)
		}
	}
	return nil
}

func flagsOf(page []byte) uint16 { return native.Uint16(page[8:]) }

// page reads a page with its overflow. The bytes are valid until the next call.
func (w *walker) page(id uint64) ([]byte, error) {
	if id < 2 || id >= w.meta.pages {
		return nil, fmt.Errorf("page %d is outside of the file", id)
	}
	if err := w.visit(id); err != nil {
		return nil, err
	}
	size := w.meta.pageSize
	if err := w.read(id, 0, size); err != nil {
		return nil, err
	}
	over := uint64(native.Uint32(w.buf[12:]))
	if native.Uint64(w.buf) != id || id+over >= w.meta.pages {
		return nil, fmt.Errorf("page %d has a wrong header", id)
	}
	for k := range over {
		if err := w.visit(id + 1 + k); err != nil {
			return nil, err
		}
	}
	if over > 0 {
		if err := w.read(id, size, size*(over+1)); err != nil {
			return nil, err
		}
	}
	return w.buf, nil
}

// visit notes that a page, or the overflow of another, has been come across.
func (w *walker) visit(id uint64) error {
	if w.visited[id/64]&(1<<(id%64)) != 0 {
		return fmt.Errorf("page %d is used twice", id)
	}
	w.visited[id/64] |= 1 << (id % 64)
	return nil
}

// read fills buf[from:to] with bytes of the page and cuts it there.
func (w *walker) read(id, from, to uint64) error {
	if uint64(cap(w.buf)) < to {
		grown := make([]byte, to)
		copy(grown, w.buf[:from])
		w.buf = grown
	}
	w.buf = w.buf[:to]
	if _, err := w.f.ReadAt(w.buf[from:], int64(id*w.meta.pageSize+from)); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// elements checks that the elements of a page lie inside of it and in order, and notes the pages they lead to.
func (w *walker) elements(p []byte, from link) error {
	count, flags := int(native.Uint16(p[10:])), flagsOf(p)
	if flags != branchFlag && flags != leafFlag {
		return fmt.Errorf("it is of no known kind (%#x)", flags)
	}
	if pageHeader+count*elemSize > len(p) || flags == branchFlag && count == 0 {
		return errors.New("its elements do not fit")
	}
	last, first := from.min, len(w.todo)
	for i := range count {
		key, v, ok := element(p, pageHeader+i*elemSize, flags)
		if !ok {
			return fmt.Errorf("element %d lies outside of it", i)
		}
		if c := bytes.Compare(last, key); c > 0 || c == 0 && i > 0 || from.max != nil && bytes.Compare(key, from.max) >= 0 {
			return fmt.Errorf("element %d is out of order", i)
		}
		last = key
		if flags == leafFlag {
			if err := w.leaf(p[pageHeader+i*elemSize:], v); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
			continue
		}
		if i > 0 {
			w.todo[len(w.todo)-1].max = bytes.Clone(key)
		}
		w.todo = append(w.todo, link{id: native.Uint64(p[pageHeader+i*elemSize+8:]), min: bytes.Clone(key)})
	}
	if flags == branchFlag && len(w.todo) > first {
		w.todo[len(w.todo)-1].max = from.max
	}
	return nil
}

// element returns key and value of the element at; ok is false if they do not lie within the page.
func element(p []byte, at int, flags uint16) (key, v []byte, ok bool) {
	e := p[at:]
	pos, ksize, vsize := native.Uint32(e), native.Uint32(e[4:]), uint32(0)
	if flags == leafFlag {
		pos, ksize, vsize = native.Uint32(e[4:]), native.Uint32(e[8:]), native.Uint32(e[12:])
	}
	if uint64(pos)+uint64(ksize)+uint64(vsize) > uint64(len(e)) {
		return nil, nil, false
	}
	return e[pos:][:ksize], e[pos+ksize:][:vsize], true
}

// leaf follows the element e if its value v is a bucket.
func (w *walker) leaf(e, v []byte) error {
	if native.Uint32(e)&bucketFlag == 0 {
		return nil
	}
	if len(v) < bucketSize {
		return errors.New("a bucket without a header")
	}
	if root := native.Uint64(v); root != 0 {
		w.todo = append(w.todo, link{id: root})
		return nil
	}
	if v = v[bucketSize:]; len(v) < pageHeader || flagsOf(v) != leafFlag {
		return errors.New("an inline bucket without a page")
	}
	return w.elements(v, link{})
}
