package conform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/submission"
)

const inMemory = 16 << 20 // octets of a document that are held in memory; a larger one goes to disk

// documents looks into every document.
func (c *check) documents(s *submission.Submission) ([]intake.Finding, error) {
	if c.kit.config.Inspector == nil {
		return nil, nil
	}
	var findings []intake.Finding
	for n := 0; ; n++ {
		_, r, err := s.Next()
		if errors.Is(err, io.EOF) {
			return findings, nil
		}
		if err != nil {
			return nil, err
		}
		found, err := c.document(s.Declaration, n, r)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
}

func (c *check) document(d *dossier.Declaration, n int, r io.Reader) (found []intake.Finding, err error) {
	head, err := io.ReadAll(io.LimitReader(r, inMemory+1))
	if err != nil {
		return nil, fmt.Errorf("document %d: %w", n, err)
	}
	if len(head) <= inMemory {
		return c.kit.config.Inspector.Document(c.ctx, d, n, bytes.NewReader(head), int64(len(head)))
	}
	f, err := os.CreateTemp(c.kit.config.Temp, "luutru-conform-*")
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	size, err := io.Copy(f, io.MultiReader(bytes.NewReader(head), r))
	if err != nil {
		return nil, fmt.Errorf("document %d: %w", n, err)
	}
	return c.kit.config.Inspector.Document(c.ctx, d, n, f, size)
}
