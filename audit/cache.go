package audit

import (
	"context"
	"iter"
	"sync"
)

// cache keeps the values that were put in last.
type cache[V any] struct {
	mu     sync.Mutex
	values map[uint64]V
	order  []uint64 // keys in the order they came, as a ring
	next   int
}

func newCache[V any](size int) *cache[V] {
	return &cache[V]{values: map[uint64]V{}, order: make([]uint64, 0, size)}
}

func (c *cache[V]) get(k uint64) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.values[k]
	return v, ok
}

func (c *cache[V]) put(k uint64, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, had := c.values[k]
	c.values[k] = v
	switch {
	case had:
	case len(c.order) < cap(c.order):
		c.order = append(c.order, k)
	default:
		delete(c.values, c.order[c.next])
		c.order[c.next] = k
		c.next = (c.next + 1) % len(c.order)
	}
}

// inOrder calls get for from <= n < to, several at a time, and yields what they
// return in the order of n. It ends after the first error.
func inOrder[T any](ctx context.Context, from, to uint64, workers int, get func(context.Context, uint64) (T, error)) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var all sync.WaitGroup
		defer all.Wait() // no call outlives this one
		defer cancel()
		results := make(chan chan result, workers)
		all.Go(func() {
			defer close(results)
			for n := from; n < to; n++ {
				c := make(chan result, 1)
				select {
				case results <- c:
				case <-ctx.Done():
					return
				}
				all.Go(func() {
					v, err := get(ctx, n)
					c <- result{v, err}
				})
			}
		})
		n := from
		for c := range results {
			r := <-c
			if !yield(r.value, r.err) || r.err != nil {
				return
			}
			n++
		}
		if n < to {
			var none T
			yield(none, ctx.Err())
		}
	}
}

// count returns how many n, from 0 on, has is true for, given that it is true
// for no n behind one it is false for, nor for max. It begins to look at guess.
func count(guess, max uint64, has func(uint64) (bool, error)) (uint64, error) {
	lo, hi := uint64(0), max // has is true below lo, false from hi on
	down := guess > 0
	for step := uint64(1); lo < hi; step *= 2 {
		n := lo + min(step, hi-lo) - 1
		if down {
			n = hi - min(step, hi-lo)
		}
		ok, err := has(n)
		if err != nil {
			return 0, err
		}
		if ok {
			lo = n + 1
		} else {
			hi = n
		}
		if ok == down {
			break
		}
	}
	for lo < hi {
		n := lo + (hi-lo)/2
		ok, err := has(n)
		if err != nil {
			return 0, err
		}
		if ok {
			lo = n + 1
		} else {
			hi = n
		}
	}
	return lo, nil
}
