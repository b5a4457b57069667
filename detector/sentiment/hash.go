package sentiment

// Features are told apart by 32-bit hashes: FNV-1a over the bytes (Fowler, Noll, Vo), then the kind of the feature, then
// the finaliser of MurmurHash3, whose high bits choose the row of a table.

const (
	fnvStart uint32 = 2166136261
	fnvPrime uint32 = 16777619
)

// kind keeps features of different kinds apart that are made of the same letters.
type kind uint32

const (
	kindWord    kind = iota + 1 // a word
	kindSpoken                  // a word in one language
	kindPair                    // two words that follow each other
	kindDenied                  // a word in the reach of a negator
	kindGram                    // three to five letters of a word
	kindSign                    // an emoji or a run of signs
	kindShape                   // what the whole text looks like
	kindTongue                  // its language
	kindHit                     // what the word lists make of it
	kindLid                     // for the language table: letters
	kindLidWord                 // for the language table: a word
)

func fnv(h uint32, b []byte) uint32 {
	for _, c := range b {
		h = (h ^ uint32(c)) * fnvPrime
	}
	return h
}

func fnvString(h uint32, s string) uint32 {
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * fnvPrime
	}
	return h
}

// mix ends a hash: every bit of h and of the kind moves every bit of the result.
func mix(h uint32, k kind) uint32 {
	h ^= uint32(k) * 0x9E3779B9
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	return h ^ h>>16
}

// join makes one hash of two.
func join(a, b uint32) uint32 { return (a ^ b*0x9E3779B1) * fnvPrime }
