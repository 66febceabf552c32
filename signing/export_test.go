package signing

import "io"

// ChunkSize is the plaintext of one chunk, for tests at its borders.
const ChunkSize = chunkSize

// Framing is the rule of packet lengths with numbers small enough to test what
// the standard one does above 4 GiB.
type Framing struct {
	Fixed int64
	Exp   uint8
}

func (f Framing) NewSealer(w io.Writer, size int64, sk SessionKey, workers int) (*Sealer, error) {
	return framing{f.Fixed, f.Exp}.newSealer(w, size, sk, workers)
}

func (f Framing) SealedSize(size int64) int64 {
	return framing{f.Fixed, f.Exp}.layout(size).outer.size()
}

func (f Framing) Open(src Source, size int64, sk SessionKey) (*Opened, error) {
	return framing{f.Fixed, f.Exp}.open(src, size, sk)
}

func (f Framing) OpenStream(r io.Reader, sk SessionKey) io.Reader {
	return framing{f.Fixed, f.Exp}.openStream(r, sk)
}
