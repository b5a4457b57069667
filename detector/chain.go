package detector

import "fmt"

// SystemChain is the name of the audit chain of what concerns no incident: reloads, erasures, restores.
const SystemChain = "system"

// Chained returns l as the line that follows last in its chain: numbered, and hashed with the hash of last. The
// first line of a chain follows the zero Audit.
func Chained(last, l Audit) Audit {
	l.Seq, l.Prev = last.Seq+1, last.Hash
	l.Hash = l.hash()
	return l
}

// Follows says what is wrong with l as the line after last. A chain whose oldest lines have expired begins with
// any number: its first line follows the zero Audit.
func Follows(last, l Audit) error {
	switch {
	case last.Seq != 0 && l.Seq != last.Seq+1:
		return fmt.Errorf("line %d follows line %d: what was between is missing", l.Seq, last.Seq)
	case l.Hash != l.hash(), (last.Seq != 0 || l.Seq == 1) && l.Prev != last.Hash:
		return fmt.Errorf("line %d was changed", l.Seq)
	}
	return nil
}
