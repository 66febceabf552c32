package audit

// CollideIDs makes all IDs have the same hash. The log must be new.
func CollideIDs(l *Log) { l.ids.hash = func(string) uint64 { return 0 } }

// ReencodeEntry encodes what ParseEntry read.
func ReencodeEntry(e *Entry) []byte { return e.encode() }

// ReencodeBatch parses and encodes a batch.
func ReencodeBatch(raw []byte) ([]byte, error) {
	b, err := parseBatch(raw)
	if err != nil {
		return nil, err
	}
	return b.encode()
}

// ReencodeProof parses and encodes a proof.
func ReencodeProof(raw []byte) ([]byte, error) {
	p, err := parseProof(raw)
	if err != nil {
		return nil, err
	}
	return p.encode(), nil
}

// Forget drops everything that can be read again.
func Forget(l *Log) {
	fresh, _ := newLog(l.config)
	l.bundles, l.hashes, l.marks = fresh.bundles, fresh.hashes, fresh.marks
}
