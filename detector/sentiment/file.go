package sentiment

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A model file is, with numbers in little endian:
//
//	"RSNT", version uint16, length of the header uint32, header (JSON), zstd of the table and then of the language
//	table, CRC-32C of all before it uint32
const (
	fileMagic   = "RSNT"
	fileVersion = 1
	fileStart   = len(fileMagic) + 2 + 4
	maxHeader   = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Card says where a model comes from.
type Card struct {
	Name    string             `json:"name,omitempty"`
	Trained string             `json:"trained,omitempty"` // a date
	Rows    int                `json:"rows,omitempty"`
	Sources []string           `json:"sources,omitempty"` // each with its licence
	Figures map[string]float64 `json:"figures,omitempty"`
	Notes   []string           `json:"notes,omitempty"`
}

type header struct {
	Fingerprint uint64                `json:"fingerprint"`
	Bits        int                   `json:"bits"`
	Scale       float32               `json:"scale"`
	TongueScale float32               `json:"language_scale"`
	TongueBias  []float32             `json:"language_bias"`
	Languages   []string              `json:"languages"`
	Adjust      map[string]Adjustment `json:"adjust"`
	Card        Card                  `json:"card"`
}

// Errors of [Read].
var (
	ErrNoModel  = errors.New("not a sentiment model")
	ErrDamaged  = errors.New("the file is damaged")
	ErrFeatures = errors.New("the model was trained for other features than this program reads; train it again with this version")
)

// Write writes the model to w.
func (m *Model) Write(w io.Writer) error {
	h, err := json.Marshal(header{
		Fingerprint: fingerprint(m.lex), Bits: m.Table.bits, Scale: m.Table.scale, TongueScale: m.Languages.scale,
		TongueBias: m.Languages.bias[:], Languages: codes[:known], Adjust: m.Parts.Adjust, Card: m.Card,
	})
	if err != nil {
		return err
	}
	b := append([]byte(fileMagic), 0, 0, 0, 0, 0, 0)
	binary.LittleEndian.PutUint16(b[len(fileMagic):], fileVersion)
	binary.LittleEndian.PutUint32(b[len(fileMagic)+2:], uint32(len(h)))
	b = append(b, h...)
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	b = z.EncodeAll(append(m.Table.bytes(), unsigned(m.Languages.rows)...), b)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	_, err = w.Write(b)
	return err
}

// Read reads a model. Its error wraps [ErrNoModel], [ErrDamaged] or [ErrFeatures] where one of them is the reason.
func Read(r io.Reader) (*Model, error) {
	b, err := io.ReadAll(io.LimitReader(r, 256<<20))
	if err != nil {
		return nil, err
	}
	return parse(b, NewLexicon())
}

func parse(b []byte, lex *Lexicon) (*Model, error) {
	if len(b) < fileStart+4 || string(b[:len(fileMagic)]) != fileMagic {
		return nil, ErrNoModel
	}
	if v := binary.LittleEndian.Uint16(b[len(fileMagic):]); v != fileVersion {
		return nil, fmt.Errorf("%w that this program reads: version %d, and it reads %d", ErrNoModel, v, fileVersion)
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	n := int(binary.LittleEndian.Uint32(b[len(fileMagic)+2:]))
	if n > maxHeader || fileStart+n > len(body) {
		return nil, fmt.Errorf("%w: the header is longer than the file", ErrDamaged)
	}
	var h header
	if err := json.Unmarshal(body[fileStart:fileStart+n], &h); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrDamaged, err)
	}
	return h.model(body[fileStart+n:], lex)
}

func (h *header) model(packed []byte, lex *Lexicon) (*Model, error) {
	if h.Bits < minBits || h.Bits > maxBits {
		return nil, fmt.Errorf("%w: a table of 2^%d rows", ErrDamaged, h.Bits)
	}
	if h.Fingerprint != fingerprint(lex) || !slices.Equal(h.Languages, codes[:known]) {
		return nil, ErrFeatures
	}
	if len(h.TongueBias) != known+1 || h.Scale <= 0 || h.TongueScale <= 0 {
		return nil, fmt.Errorf("%w: scales or biases are missing", ErrDamaged)
	}
	table := &Table{bits: h.Bits, scale: h.Scale}
	size, tongues := table.size(), LanguageRow<<LanguageBits
	z, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(1<<28), zstd.WithDecoderMaxWindow(1<<25))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	all := make([]byte, size+tongues)
	if _, err := io.ReadFull(z, all); err != nil {
		return nil, fmt.Errorf("%w: tables: %w", ErrDamaged, err)
	}
	table.setBytes(all[:size])
	return Assemble(Parts{
		Languages: h.languages(signed(all[size:])),
		Table:     table, Adjust: h.Adjust, Card: h.Card,
	}, lex), nil
}

func (h *header) languages(rows []int8) *Languages {
	l := &Languages{rows: rows, scale: h.TongueScale}
	copy(l.bias[:], h.TongueBias)
	return l
}

func signed(b []byte) []int8 {
	out := make([]int8, len(b))
	for i, c := range b {
		out[i] = int8(c)
	}
	return out
}

func unsigned(b []int8) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = byte(c)
	}
	return out
}

// Open reads the model file of that name.
func Open(name string) (*Model, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

//go:embed model.rsnt
var embedded []byte

// New returns the embedded model. It is read once; further calls return the same.
var New = sync.OnceValue(func() *Model {
	m, err := parse(embedded, NewLexicon())
	if err != nil {
		panic("sentiment: embedded model: " + err.Error()) // the build is broken
	}
	return m
})
