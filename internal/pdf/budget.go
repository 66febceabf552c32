// Package pdf reads the objects of PDF files: cross-reference tables and streams, object streams, and what streams hold. It knows
// nothing of pages or text; package extract takes the text out, package inspect looks for what should not be there.
//
// Files come from outside: reading is bounded by a Budget, and broken files give errors or nil, never a panic. Encrypted files are not
// decrypted.
package pdf

import (
	"context"
	"errors"
	"io"
)

var (
	// ErrBroken says that a file is no PDF file, or damaged.
	ErrBroken = errors.New("broken PDF")
	// ErrLimit says that the budget is spent.
	ErrLimit = errors.New("limit of work reached")
)

// A Budget is what reading may still cost. It is not for several goroutines.
type Budget struct {
	ctx   context.Context
	bytes int64
	steps int
}

// NewBudget allows so many bytes to be unpacked or taken into memory, until ctx ends.
func NewBudget(ctx context.Context, bytes int64) *Budget {
	return &Budget{ctx: ctx, bytes: bytes}
}

// Step counts one small piece of work; every so often it looks at the context.
func (b *Budget) Step() error {
	if b.steps++; b.steps%1024 == 0 {
		return b.ctx.Err()
	}
	return nil
}

// Spend takes n bytes off. Beyond the budget it gives ErrLimit.
func (b *Budget) Spend(n int64) error {
	if b.bytes -= n; b.bytes < 0 {
		return ErrLimit
	}
	return b.ctx.Err()
}

// Spent tells whether the budget is used up.
func (b *Budget) Spent() bool { return b.bytes < 0 }

// Reader counts what is read against the budget.
func (b *Budget) Reader(r io.Reader) io.Reader { return counted{b, r} }

type counted struct {
	b *Budget
	r io.Reader
}

func (c counted) Read(p []byte) (int, error) {
	if err := c.b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if spent := c.b.Spend(int64(n)); spent != nil {
		return n, spent
	}
	return n, err
}
