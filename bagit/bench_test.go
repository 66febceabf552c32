package bagit_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
)

// scans are seven documents of 3 MB together, as of a usual dossier.
func scans() text {
	files := text{}
	noise := rand.NewChaCha8([32]byte{1})
	for i := range 7 {
		b := make([]byte, 430_000)
		_, _ = noise.Read(b)
		files["scan-"+strconv.Itoa(i)+".pdf"] = string(b)
	}
	return files
}

// BenchmarkVerify verifies a bag of 3 MB; "sha256" is the floor in the same
// run: the same octets through SHA-256 alone. With LUUTRU_BAGS=DIR the bag is
// left there, for other tools to be measured by.
func BenchmarkVerify(b *testing.B) {
	packed := write(b, container.ZIP, scans())
	if dir := os.Getenv("LUUTRU_BAGS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "bag.zip"), packed, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	single := text{"bagit.txt": declaration}
	manifest := ""
	for name, content := range scans() {
		single["data/"+name] = content
		manifest += sum256(content) + "  data/" + name + "\n"
	}
	single["manifest-sha256.txt"] = manifest
	for name, packed := range map[string][]byte{"both": packed, "SHA-256": zipped(b, single.fs(), "bag/")} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(packed)))
			for b.Loop() {
				bag, err := openBytes(packed)
				if err != nil {
					b.Fatal(err)
				}
				if faults := bag.Verify(b.Context()); !bagit.Valid(faults) {
					b.Fatal(rules(faults))
				}
			}
		})
	}
	b.Run("sha256", func(b *testing.B) {
		b.SetBytes(int64(len(packed)))
		for b.Loop() {
			if _, err := io.Copy(sha256.New(), bytes.NewReader(packed)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	files := scans()
	for _, form := range []string{container.ZIP, container.TAR} {
		b.Run(form, func(b *testing.B) {
			b.SetBytes(7 * 430_000)
			for b.Loop() {
				write(b, form, files)
			}
		})
	}
}
