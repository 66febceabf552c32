package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"
)

// maxEntry is the most that an entry bundle can hold of one entry: its length
// is written in 16 bits.
const maxEntry = 1<<16 - 1

const (
	timestamp  = "2006-01-02T15:04:05.000000Z"
	saltLength = 16
)

// ParseEntry reads the bytes of an entry, which must be exactly what a log
// writes. They say nothing about the entry's index; VerifyProof does.
func ParseEntry(raw []byte) (*Entry, error) {
	if len(raw) > maxEntry {
		return nil, fmt.Errorf("entry of %d bytes", len(raw))
	}
	e, err := decodeEntry(raw)
	if err != nil {
		return nil, err
	}
	for field, c := range e.Commitments {
		if b, err := decode(base64.RawURLEncoding, c); err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("entry: commitment to %q", field)
		}
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return e, e.checkText(e.Node, e.Commitments)
}

// setTime reads the time as it stands in an entry.
func (e *Event) setTime(s string) (err error) {
	if e.Time, err = time.Parse(timestamp, s); err != nil || e.Time.Format(timestamp) != s {
		return fmt.Errorf("entry: time %q", s)
	}
	return nil
}

// check refuses events that the log has no form for.
func (e *Event) check() error {
	switch {
	case e.ID == "" || e.Type == "":
		return errors.New("event without ID or type")
	case (e.Act == "") != (e.N == 0) || e.N < 0 || e.N > 0 && e.Chain == "":
		return fmt.Errorf("event %q: an act has a chain, a number and a digest", e.ID)
	case e.N > 0 && e.ID != actID(e.Chain, e.N):
		return fmt.Errorf("event %q: the ID of the act is %q", e.ID, actID(e.Chain, e.N))
	}
	if e.N > 0 {
		if b, err := hex.DecodeString(e.Act); err != nil || len(b) != sha256.Size || strings.ToLower(e.Act) != e.Act {
			return fmt.Errorf("event %q: digest of the act", e.ID)
		}
	}
	return nil
}

func actID(chain string, n int) string { return fmt.Sprintf("%s/%04d", chain, n) }

// field is the opened form of one Private value.
type field struct {
	Value string `json:"value"`
	Salt  string `json:"salt"`
}

// newEntry gives the event the form it has in the log, and the openings of its
// commitments.
func newEntry(e Event, node string, now time.Time) (*Entry, map[string]field, error) {
	if e.ID == "" {
		e.ID = randomName()
		if e.N > 0 {
			e.ID = actID(e.Chain, e.N)
		}
	}
	if e.Time.IsZero() {
		e.Time = now
	}
	if err := e.check(); err != nil {
		return nil, nil, err
	}
	if err := e.checkText(node, e.Private); err != nil {
		return nil, nil, err
	}
	openings, commitments := commit(e.ID, e.Private)
	e.Private, e.Details = nil, maps.Clone(e.Details)
	if e.Details == nil {
		e.Details = map[string]string{}
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	x := &Entry{Event: e, Node: node, Commitments: commitments}
	x, err := ParseEntry(x.encode()) // so that nothing is logged that could not be read
	if err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID, err)
	}
	return x, openings, nil
}

// checkText refuses what JSON would silently change, and names of fields whose
// order depends on who sorts them.
func (e *Event) checkText(node string, fields map[string]string) error {
	ok := utf8.ValidString(node) && utf8.ValidString(e.ID) && utf8.ValidString(e.Type) && utf8.ValidString(e.Chain)
	for _, m := range []map[string]string{e.Details, fields} {
		for name, value := range m {
			ok = ok && isASCII(name) && utf8.ValidString(value)
		}
	}
	if !ok {
		return fmt.Errorf("event %q: text that is not UTF-8, or names that are not ASCII", e.ID)
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// commit makes a commitment to every value, under a salt of its own.
func commit(id string, private map[string]string) (openings map[string]field, commitments map[string]string) {
	openings, commitments = map[string]field{}, map[string]string{}
	for name, value := range private {
		salt := make([]byte, saltLength)
		rand.Read(salt)
		openings[name] = field{Value: value, Salt: base64.RawURLEncoding.EncodeToString(salt)}
		commitments[name] = commitment(salt, id, name, value)
	}
	return openings, commitments
}

func commitment(salt []byte, id, name, value string) string {
	m := hmac.New(sha256.New, salt)
	for _, s := range []string{id, name, value} {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		m.Write([]byte(s))
	}
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// randomName returns 26 characters that nobody has drawn before.
func randomName() string {
	b := make([]byte, 17)
	rand.Read(b)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))[:26]
}
