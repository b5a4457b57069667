package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"emberwatch/sources"
)

// cast are the people who write: some who come back, and any number of new ones.
type cast struct {
	names   map[string][]string // by language, "Maya=maya"
	handles []string
	regular map[string][]sources.Author
	taken   map[string]bool
}

// regulars is how many people write in a language in ordinary weeks. A few of them write much.
var regulars = map[string]int{"en": 240, "de": 180, "sv": 110, "ru": 75, "ar": 60, "es": 30, "fr": 30}

// followers are quantiles of a log-normal distribution.
var followers = []int{6, 11, 17, 24, 32, 41, 52, 65, 81, 101, 127, 160, 204, 265, 352, 489, 725, 1210, 2480, 8900}

func newCast(r *rand.Rand) (*cast, error) {
	file, err := readFile("testdata/people.txt")
	if err != nil {
		return nil, err
	}
	c := &cast{names: map[string][]string{}, regular: map[string][]sources.Author{}, taken: map[string]bool{}}
	for key, list := range file.lists {
		c.names[key] = strings.Fields(list[0])
	}
	c.handles = c.names["handles"]
	for _, lang := range languages {
		for range regulars[lang] {
			c.regular[lang] = append(c.regular[lang], c.stranger(r, lang))
		}
	}
	return c, nil
}

// somebody returns one who wrote before or will write again.
func (c *cast) somebody(r *rand.Rand, lang string) sources.Author {
	all := c.regular[lang]
	skew := r.Float64()
	return all[int(skew*skew*float64(len(all)))]
}

// stranger returns somebody who never wrote before.
func (c *cast) stranger(r *rand.Rand, lang string) sources.Author {
	first, latin, _ := strings.Cut(c.names[lang][r.IntN(len(c.names[lang]))], "=")
	a := sources.Author{Name: fmt.Sprintf("%s %c.", first, initial(r, lang)), Followers: jitter(r, followers)}
	for {
		a.Handle = latin + []string{"", "_", "."}[r.IntN(3)] + c.handles[r.IntN(len(c.handles))]
		if r.IntN(2) == 0 {
			a.Handle += fmt.Sprint(1 + r.IntN(98))
		}
		if !c.taken[a.Handle] {
			c.taken[a.Handle] = true
			return a
		}
	}
}

func initial(r *rand.Rand, lang string) rune {
	letters := []rune("ABDEFGHKLMNPRSTW")
	switch lang {
	case "ru":
		letters = []rune("АБВГДКЛМНПРС")
	case "ar":
		letters = []rune("بحخسعفكمن")
	}
	return letters[r.IntN(len(letters))]
}

// jitter returns one of the values or something a little above it.
func jitter(r *rand.Rand, values []int) int {
	v := values[r.IntN(len(values))]
	return v + r.IntN(v/4+1)
}
