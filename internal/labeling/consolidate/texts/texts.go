// Package texts chooses one of several workers' free texts (transcriptions,
// translations, captions).
package texts

import (
	"strings"
	"unicode"
)

// Chosen is the text that is most like the others: the medoid. No new text is
// made, so that what comes out is something that a person wrote.
type Chosen struct {
	Index int // of the answer; None if there is none
	// Confidence is the mean similarity to the other answers, 0 if there is
	// only one: how much workers agree on the wording, not the chance that it
	// is right.
	Confidence float64
}

// None is the index where nobody wrote anything.
const None = -1

// grams is the longest sequence of words that is compared.
const grams = 4

// maxWords bounds the time that a hostile answer takes.
const maxWords = 10_000

// Consolidate chooses. Answers without a word are garbage; of equals the first
// is chosen.
//
// Two texts are as similar as their GLEU (Wu et al. 2016): of the sequences of
// one to four words in the longer one, the share that both have. Case and
// punctuation between words do not count. In scripts that do not write spaces
// between words, every character is a word.
func Consolidate(answers []string) Chosen {
	best := Chosen{Index: None}
	profiles := make([]profile, len(answers))
	var written []int
	for i, a := range answers {
		if profiles[i] = newProfile(a); profiles[i].words > 0 {
			written = append(written, i)
		}
	}
	for _, i := range written {
		sum := 0.0
		for _, j := range written {
			if i != j {
				sum += profiles[i].similarity(profiles[j])
			}
		}
		if mean := sum / float64(max(len(written)-1, 1)); best.Index == None || mean > best.Confidence+1e-12 {
			best = Chosen{i, mean}
		}
	}
	return best
}

// profile is how often each sequence of words is in a text, by length.
type profile struct {
	words int
	count [grams]map[string]int
}

func newProfile(text string) profile {
	words := split(text)
	p := profile{words: len(words)}
	for n := range grams {
		p.count[n] = map[string]int{}
		for i := 0; i+n < len(words); i++ {
			p.count[n][strings.Join(words[i:i+n+1], " ")]++
		}
	}
	return p
}

func (p profile) similarity(q profile) float64 {
	both, most := 0, 0
	for n := range grams {
		for g, k := range p.count[n] {
			both += min(k, q.count[n][g])
		}
		most += max(p.words-n, q.words-n, 0)
	}
	return float64(both) / float64(most)
}

// split finds the words of a text.
func split(text string) []string {
	var words []string
	start := -1
	end := func(i int) {
		if start >= 0 {
			words = append(words, strings.ToLower(text[start:i]))
		}
		start = -1
	}
	for i, r := range text {
		switch {
		case len(words) >= maxWords:
			return words
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			end(i)
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || unicode.IsSymbol(r):
			if start < 0 {
				start = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return words
}
