package store

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"emberwatch/detector"
	"emberwatch/sources"
)

// withTxn calls fn in a transaction that writes.
func withTxn(t testing.TB, db *DB, fn func(*txn)) {
	t.Helper()
	if err := db.state.update(func(tx *txn) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestItemsComeBackAsTheyWere(t *testing.T) {
	db := openTemp(t)
	rapid.Check(t, func(rt *rapid.T) {
		want := gen{T: rt}.item()
		withTxn(t, db, func(tx *txn) {
			key, err := itemKey(tx, want.Ref())
			if err != nil {
				rt.Fatal(err)
			}
			v, err := encodeItem(tx, &want)
			if err != nil {
				rt.Fatal(err)
			}
			got, err := decodeItem(tx, key, v)
			if err != nil {
				rt.Fatal(err)
			}
			diffRapid(rt, got, want)
			if _, err := decodeItem(tx, key, append([]byte{formatV1 + 1}, v[1:]...)); err == nil {
				rt.Fatal("an unknown format was read")
			}
			if _, err := decodeItem(tx, key, v[:len(v)-1]); err == nil {
				rt.Fatal("a record cut short was read")
			}
		})
	})
}

func TestArchiveRecordsComeBackAsTheyWere(t *testing.T) {
	db := openTemp(t)
	rapid.Check(t, func(rt *rapid.T) {
		j := gen{T: rt}.judged()
		want := db.recordOf(&j)
		withTxn(t, db, func(tx *txn) {
			v, err := want.encode(tx)
			if err != nil {
				rt.Fatal(err)
			}
			got, err := decodeRecord(tx, v)
			if err != nil {
				rt.Fatal(err)
			}
			if string(mustEncode(rt, tx, &got)) != string(v) {
				rt.Fatalf("%+v became %+v", want, got)
			}
			head, err := peekRecord(v)
			if err != nil || head.p != want.p || head.count != want.count || head.flags != want.flags {
				rt.Fatalf("the head of %+v is %+v, %v", want, head, err)
			}
			left := got.judged(placeOf(j.Brand, j.Mention.CreatedAt, j.Mention.Key()))
			if left.P != j.P || left.Mention.Kind != j.Mention.Kind || left.Own != j.Own || left.Mention.Reach() != j.Mention.Reach() {
				rt.Fatalf("what is left of %+v is %+v", j, left)
			}
		})
	})
}

func mustEncode(t *rapid.T, tx *txn, r *record) []byte {
	v, err := r.encode(tx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRecordsAreSmall(t *testing.T) {
	db := openTemp(t)
	withTxn(t, db, func(tx *txn) {
		j := judged(1, "fjellbryg")
		rec := db.recordOf(&j)
		v, err := rec.encode(tx)
		if err != nil || len(v)+itemKeyLen > 150 {
			t.Errorf("archive record: %d bytes, %v", len(v), err)
		}
		it := detector.Item{Key: keyOf(1), Brand: "fjellbryg", At: noon, Category: "quality", Categories: j.Categories, Rules: j.Rules, Cue: "leer"}
		if v, err = encodeItem(tx, &it); err != nil || len(v)+itemKeyLen > 150 {
			t.Errorf("item: %d bytes, %v", len(v), err)
		}
	})
}

func TestKeysSortByTime(t *testing.T) {
	times := []time.Time{{}, time.Unix(-5, 0), time.Unix(0, 0), noon, noon.Add(1), noon.AddDate(50, 0, 0)}
	for i := range times[1:] {
		if bytes.Compare(timeKey(times[i], "z"), timeKey(times[i+1], "a")) >= 0 {
			t.Errorf("%v does not sort before %v", times[i], times[i+1])
		}
		if got := fromNanos(nanos(times[i])); !got.Equal(times[i]) {
			t.Errorf("%v came back as %v", times[i], got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	db := openTemp(f)
	it := detector.Item{Key: keyOf(1), Brand: "fjellbryg", At: noon, Categories: []string{"a"}, Rules: []string{"r"}}
	j := judged(1, "fjellbryg")
	var key []byte
	withTxn(f, db, func(tx *txn) {
		key, _ = itemKey(tx, it.Ref())
		item, _ := encodeItem(tx, &it)
		rec := db.recordOf(&j)
		record, _ := rec.encode(tx)
		e := &encoder{t: tx, b: []byte{formatV1}}
		e.time(noon)
		e.time(noon)
		e.words([]string{"fjellbryg"})
		for _, seed := range [][]byte{item, record, e.b, {}, {formatV1, '{', '}'}, bytes.Repeat([]byte{0xff}, 30)} {
			f.Add(seed)
		}
	})
	f.Fuzz(func(t *testing.T, v []byte) {
		err := db.state.view(func(tx *txn) error {
			decodeItem(tx, key, v)
			decodeRecord(tx, v)
			decodeSeen(tx, v)
			peekRecord(v)
			parseJSON[detector.Judged](v)
			splitItemKey(v)
			nameIn(v)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		parseSpan(string(v))
	})
}

// FuzzPages damages a file. Either that is noticed, or bbolt can read all of it without falling over.
func FuzzPages(f *testing.F) {
	page := os.Getpagesize()
	for _, edit := range [][3]int{{0, 0, 1}, {page, 64, 0}, {3 * page, 8, 0xff}, {4 * page, 10, 0xff}, {5 * page, 20, 7}} {
		f.Add(binary.BigEndian.AppendUint32(nil, uint32(edit[0]+edit[1])), []byte{byte(edit[2])})
	}
	dir := f.TempDir()
	db, err := Open(dir, small())
	if err != nil {
		f.Fatal(err)
	}
	for n := range 3 {
		commit(f, db, taking(numbered(100*n, 100*n+100, "fjellbryg")...))
	}
	db.Close()
	whole, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, at, with []byte) {
		b := bytes.Clone(whole)
		for ; len(at) >= 4; at = at[4:] {
			copy(b[int(binary.BigEndian.Uint32(at))%len(b):], with)
		}
		path := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if verifyFile(path, true) == nil {
			readAll(t, path)
		}
	})
}

// readAll opens a file for writing, as the store does, and reads every record.
func readAll(t *testing.T, path string) {
	f, err := bolt.Open(path, 0o600, (&volume{}).options(false))
	if err != nil {
		return
	}
	defer f.Close()
	var walk func(b *bolt.Bucket) error
	walk = func(b *bolt.Bucket) error {
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k))
			}
			return nil
		})
	}
	err = f.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return walk(b) })
	})
	if err != nil {
		t.Error(err)
	}
}

func TestVerifyAcceptsWhatBoltWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	f, err := bolt.Open(path, 0o600, nil) // with its list of free pages on disk
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for round := range 30 {
		err := f.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte{byte(round % 5)})
			if err != nil {
				return err
			}
			for range 200 {
				k := make([]byte, 1+rand.IntN(40))
				for i := range k {
					k[i] = byte(rand.Uint32())
				}
				if err := b.Put(k, make([]byte, rand.IntN(9000))); err != nil {
					return err
				}
			}
			sub, err := b.CreateBucketIfNotExists([]byte("sub"))
			if err != nil {
				return err
			}
			return sub.Put([]byte{byte(round)}, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := verifyFile(path, true); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

func TestSieveForgetsNothing(t *testing.T) {
	var s sieve
	hash := func(n int) (h keyHash) {
		binary.BigEndian.PutUint64(h[:], rand.New(rand.NewPCG(1, uint64(n))).Uint64())
		binary.BigEndian.PutUint64(h[8:], rand.New(rand.NewPCG(2, uint64(n))).Uint64())
		return h
	}
	const n = 20_000
	for i := range n {
		s.add(hash(i))
	}
	mistakes := 0
	for i := range n {
		if !s.may(hash(i)) {
			t.Fatalf("number %d was forgotten", i)
		}
		if s.may(hash(n + i)) {
			mistakes++
		}
	}
	if mistakes > n/50 {
		t.Errorf("%d of %d strangers were let through", mistakes, n)
	}
}

// A field that is added to an item must be added to its record, too.
func TestNoFieldOfAnItemIsForgotten(t *testing.T) {
	var want detector.Item
	fill(reflect.ValueOf(&want).Elem())
	db := openTemp(t)
	want.At = noon
	key := sources.Key{Source: "shop", ID: "1"}
	want.Key = key
	commit(t, db, &detector.Change{At: noon, Items: []detector.Item{want}})
	got, err := db.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got.Items, []detector.Item{want})
}

// fill gives every field a value that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint64:
		v.SetUint(4)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	}
}
