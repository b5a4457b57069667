package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// paint is a colour. Those of bars differ in lightness too, for those who do not see red.
type paint = color.RGBA

var (
	paper    = rgb(0xffffff)
	ink      = rgb(0x1c2430)
	faint    = rgb(0x5b6470)
	rule     = rgb(0xd9dde3)
	usual    = rgb(0xdceaf7)
	expected = rgb(0x7fa8cf)
	counted  = rgb(0x6b7888)
	above    = rgb(0xb31b12)
)

func rgb(hex uint32) paint {
	return paint{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff}
}

const (
	plainSize = 26
	boldSize  = 34
	leastBold = 22
)

// canvas is a picture with what draws into it.
type canvas struct {
	img     *image.RGBA
	letters *sfnt.Font
	plain   font.Face
	bold    []font.Face // the largest first
}

type fonts struct{ regular, bold *sfnt.Font }

var parsed = sync.OnceValues(func() (fonts, error) {
	r, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return fonts{}, err
	}
	b, err := opentype.Parse(gobold.TTF)
	return fonts{r, b}, err
})

// newCanvas returns an empty picture. Faces are made for each: they are not safe for concurrent use.
func newCanvas(r image.Rectangle) (*canvas, error) {
	f, err := parsed()
	if err != nil {
		return nil, fmt.Errorf("chart: font: %w", err)
	}
	c := &canvas{img: image.NewRGBA(r), letters: f.regular}
	if c.plain, err = opentype.NewFace(f.regular, &opentype.FaceOptions{Size: plainSize, DPI: 72, Hinting: font.HintingFull}); err != nil {
		return nil, fmt.Errorf("chart: font: %w", err)
	}
	for size := boldSize; size >= leastBold; size -= 4 {
		face, err := opentype.NewFace(f.bold, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			return nil, fmt.Errorf("chart: font: %w", err)
		}
		c.bold = append(c.bold, face)
	}
	draw.Draw(c.img, r, image.NewUniform(paper), image.Point{}, draw.Src)
	return c, nil
}

// rect fills a rectangle, its edges on whole pixels; what has a height is at least a pixel high.
func (c *canvas) rect(p paint, x0, y0, x1, y1 float64) {
	if x1 <= x0 || y1 <= y0 {
		return
	}
	r := image.Rect(round(x0), round(y0), round(x1), max(round(y1), round(y0)+1))
	draw.Draw(c.img, r, image.NewUniform(p), image.Point{}, draw.Src)
}

func round(v float64) int { return int(math.Round(v)) }

// text writes s with its baseline at y.
func (c *canvas) text(f font.Face, p paint, x, y float64, s string) {
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(p), Face: f, Dot: fixed.P(int(x), int(y))}
	d.DrawString(s)
}

// length is how many pixels s takes.
func (c *canvas) length(f font.Face, s string) float64 {
	return float64(font.MeasureString(f, s)) / 64
}

// fitting is the largest bold face in which s is no longer than most, or the smallest there is.
func (c *canvas) fitting(s string, most float64) font.Face {
	for _, f := range c.bold {
		if c.length(f, s) <= most {
			return f
		}
	}
	return c.bold[len(c.bold)-1]
}

// drawable reports whether the font has every letter.
func (c *canvas) drawable(s string) bool {
	var b sfnt.Buffer
	for _, r := range s {
		if i, err := c.letters.GlyphIndex(&b, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}
