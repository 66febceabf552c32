package embedded_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/luutru/luutru/store/embedded"
)

func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs, returned atomic.Int32
		gate := make(chan struct{})
		fails := errors.New("second run")
		do := embedded.Together(func() error {
			<-gate
			if runs.Add(1) == 2 {
				return fails
			}
			return nil
		})
		call := func(want error) {
			if err := do(); err != want {
				t.Errorf("%v, want %v", err, want)
			}
			returned.Add(1)
		}
		go call(nil)
		synctest.Wait()
		for range 10 { // too late for the run that has begun
			go call(fails)
		}
		synctest.Wait()
		gate <- struct{}{}
		synctest.Wait()
		if n := returned.Load(); n != 1 {
			t.Errorf("%d returned after the first run", n)
		}
		gate <- struct{}{}
		synctest.Wait()
		if runs.Load() != 2 || returned.Load() != 11 {
			t.Errorf("%d runs for %d callers", runs.Load(), returned.Load())
		}
	})
}
