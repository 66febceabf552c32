package signing_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/luutru/luutru/signing"
)

// The benchmarks hash every octet once, because that is what ingest and
// retrieval do. "raw" is what the standard library needs for the same chunks
// without any format around them: the bar is raw/1.5. MB/cpu-s counts the time
// of the processor, all threads together: it is the figure to compare where
// others use the machine too.

// cpu is the processor time this process has used.
func cpu(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// loop runs the benchmark on size octets at a time.
func loop(b *testing.B, size int, run func()) {
	b.SetBytes(int64(size))
	start := cpu(b)
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(b.N)*float64(size)/1e6/(cpu(b)-start).Seconds(), "MB/cpu-s")
}

func benchSizes(b *testing.B, run func(b *testing.B, plain []byte, h hash.Hash)) {
	for _, size := range []int{3 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			plain := random(size)
			h := sha256.New()
			loop(b, size, func() { run(b, plain, h) })
		})
	}
}

// pieces gives the plaintext as ingest gives it: 64 KiB at a time, hashed.
func pieces(b *testing.B, w io.Writer, plain []byte, h hash.Hash) {
	for len(plain) > 0 {
		n := min(64<<10, len(plain))
		h.Write(plain[:n])
		if _, err := w.Write(plain[:n]); err != nil {
			b.Fatal(err)
		}
		plain = plain[n:]
	}
}

func rawGCM(b *testing.B) cipher.AEAD {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	return aead
}

func BenchmarkSealRaw(b *testing.B) {
	aead := rawGCM(b)
	buf := make([]byte, 0, signing.ChunkSize+16)
	var nonce [12]byte
	benchSizes(b, func(_ *testing.B, plain []byte, h hash.Hash) {
		for i := 0; len(plain) > 0; i++ {
			n := min(signing.ChunkSize, len(plain))
			h.Write(plain[:n])
			binary.BigEndian.PutUint64(nonce[4:], uint64(i))
			io.Discard.Write(aead.Seal(buf, nonce[:], plain[:n], nil))
			plain = plain[n:]
		}
	})
}

func benchSealer(b *testing.B, workers int) {
	benchSizes(b, func(b *testing.B, plain []byte, h hash.Hash) {
		s, err := signing.NewSealer(io.Discard, int64(len(plain)), signing.NewSessionKey(), workers)
		if err != nil {
			b.Fatal(err)
		}
		pieces(b, s, plain, h)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkSeal1Worker(b *testing.B)  { benchSealer(b, 1) }
func BenchmarkSeal2Workers(b *testing.B) { benchSealer(b, 2) }

func BenchmarkSealGoCrypto(b *testing.B) {
	benchSizes(b, func(b *testing.B, plain []byte, h hash.Hash) {
		w := goCryptoWriter(b, io.Discard, signing.NewSessionKey())
		pieces(b, w, plain, h)
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

// goCryptoWriter writes the same kind of message with go-crypto.
func goCryptoWriter(tb testing.TB, w io.Writer, sk signing.SessionKey) io.WriteCloser {
	cfg := &packet.Config{AEADConfig: &packet.AEADConfig{DefaultMode: packet.AEADModeGCM}}
	suite := packet.CipherSuite{Cipher: packet.CipherAES256, Mode: packet.AEADModeGCM}
	sealed, err := packet.SerializeSymmetricallyEncrypted(w, packet.CipherAES256, true, suite, sk[:], cfg)
	if err != nil {
		tb.Fatal(err)
	}
	literal, err := packet.SerializeLiteral(sealed, true, "", 0)
	if err != nil {
		tb.Fatal(err)
	}
	return literal
}

func BenchmarkOpenRaw(b *testing.B) {
	aead := rawGCM(b)
	var nonce [12]byte
	// The same ciphertext for every chunk: what is measured is the opening.
	sealed := aead.Seal(nil, nonce[:], random(signing.ChunkSize), nil)
	buf := make([]byte, len(sealed))
	benchSizes(b, func(b *testing.B, plain []byte, h hash.Hash) {
		for n := 0; n < len(plain); n += signing.ChunkSize {
			copy(buf, sealed)
			opened, err := aead.Open(buf[:0], nonce[:], buf, nil)
			if err != nil {
				b.Fatal(err)
			}
			h.Write(opened)
		}
	})
}

func BenchmarkOpenStream(b *testing.B) {
	benchOpen(b, func(sealed []byte, sk signing.SessionKey) io.Reader {
		return signing.OpenStream(bytes.NewReader(sealed), sk)
	})
}

func BenchmarkOpenSection(b *testing.B) {
	benchOpen(b, func(sealed []byte, sk signing.SessionKey) io.Reader {
		o, err := signing.Open(source(sealed), int64(len(sealed)), sk)
		if err != nil {
			b.Fatal(err)
		}
		return o.Section(0, o.Size())
	})
}

func BenchmarkOpenGoCrypto(b *testing.B) {
	benchOpen(b, func(sealed []byte, sk signing.SessionKey) io.Reader {
		p, err := packet.Read(bytes.NewReader(sealed))
		if err != nil {
			b.Fatal(err)
		}
		plain, err := p.(*packet.SymmetricallyEncrypted).Decrypt(0, sk[:])
		if err != nil {
			b.Fatal(err)
		}
		literal, err := packet.Read(plain)
		if err != nil {
			b.Fatal(err)
		}
		return literal.(*packet.LiteralData).Body
	})
}

func benchOpen(b *testing.B, open func(sealed []byte, sk signing.SessionKey) io.Reader) {
	sk := signing.NewSessionKey()
	for _, size := range []int{3 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			sealed := seal(b, random(size), sk, 1)
			h := sha256.New()
			loop(b, size, func() {
				if _, err := io.CopyBuffer(h, open(sealed, sk), make([]byte, 64<<10)); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func benchProfiles(b *testing.B, run func(b *testing.B, k *signing.Key)) {
	for _, p := range []signing.Profile{signing.Hybrid, signing.Classic} {
		b.Run(string(p), func(b *testing.B) {
			run(b, generate(b, p))
		})
	}
}

func BenchmarkSign(b *testing.B) {
	message := random(2000)
	benchProfiles(b, func(b *testing.B, k *signing.Key) {
		for b.Loop() {
			if _, err := k.Sign(message, now); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	message := random(2000)
	benchProfiles(b, func(b *testing.B, k *signing.Key) {
		sig, err := k.Sign(message, now)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := k.Certificate().Verify(message, sig); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRewrap(b *testing.B) {
	benchProfiles(b, func(b *testing.B, k *signing.Key) {
		packets, err := signing.WrapKey(signing.NewSessionKey(), k.Certificate())
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			sk, err := k.UnwrapKey(packets)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := signing.WrapKey(sk, k.Certificate()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
