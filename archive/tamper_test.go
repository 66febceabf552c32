package archive_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/store"
)

// mutations are what somebody with plain access to a bucket can do to one
// object, given another of its kind.
var mutations = map[string]func(data, other []byte) []byte{
	"flip":   func(data, _ []byte) []byte { b := bytes.Clone(data); b[len(b)/2] ^= 1; return b },
	"first":  func(data, _ []byte) []byte { b := bytes.Clone(data); b[0] ^= 1; return b },
	"last":   func(data, _ []byte) []byte { b := bytes.Clone(data); b[len(b)-1] ^= 1; return b },
	"cut":    func(data, _ []byte) []byte { return data[:len(data)-1] },
	"longer": func(data, _ []byte) []byte { return append(bytes.Clone(data), 'x') },
	"swap":   func(_, other []byte) []byte { return other },
	"delete": func(_, _ []byte) []byte { return nil },
}

// TestTampering changes every stored object in every way. A retrieval then
// gives the right bytes or an error, on the node that was running and on a
// fresh one; and whatever is evidence, a check reports.
func TestTampering(t *testing.T) {
	template := newWorld(t)
	objects := evidence(t, template)
	if len(objects) < 10 {
		t.Fatalf("only %d objects: %v", len(objects), objects)
	}
	for i := range objects {
		for name, mutate := range mutations {
			t.Run(name+" "+kindOf(objects[i]), func(t *testing.T) {
				w := newWorld(t)
				objects := evidence(t, w) // names differ, order does not
				tamper(t, w, objects, i, mutate)
			})
		}
	}
}

// evidence fills an archive with two dossiers, one held, a held member of a group,
// a policy and a case, and lists the objects.
func evidence(t *testing.T, w *world) []string {
	a, err := archive.Open(t.Context(), w.config(t))
	if err != nil {
		t.Fatal(err)
	}
	ingest(t, a, code(1))
	d, c := submission(code(2), files{"01-don.txt": "hồ sơ thứ hai", "02-giay-phep.txt": "giấy phép thứ hai"})
	if _, err := a.Ingest(t.Context(), portal, d, c); err != nil {
		t.Fatal(err)
	}
	decided(t, a, code(2))
	setPolicy(t, a, func(*intake.Policy) {})
	join(t, a, code(3), family, "H29.68", "")
	if _, err := a.Hold(t.Context(), archivist, code(3), "khiếu nại"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), archivist, code(1), "khiếu nại"); err != nil {
		t.Fatal(err)
	}
	if err := a.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return w.objects(t)
}

// kindOf is an object's name without what differs from run to run.
func kindOf(object string) string {
	parts := strings.Split(object, "/")
	for i, p := range parts {
		if len(p) > 20 && !strings.Contains(p, ".") || len(p) > 24 {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

func (w *world) bucket(object string) (store.Store, string) {
	name, key, _ := strings.Cut(object, " ")
	return map[string]store.Store{"archive": w.archive, "keys": w.keys, "work": w.work}[name], key
}

func (w *world) read(t testing.TB, object string) []byte {
	t.Helper()
	s, key := w.bucket(object)
	r, _, err := s.Get(context.WithoutCancel(t.Context()), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// twin finds another object of the same kind.
func twin(objects []string, i int) string {
	for j, o := range objects {
		if j != i && kindOf(o) == kindOf(objects[i]) {
			return o
		}
	}
	return objects[(i+1)%len(objects)]
}

func tamper(t *testing.T, w *world, objects []string, i int, mutate func(data, other []byte) []byte) {
	running, err := archive.Open(t.Context(), w.config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	s, key := w.bucket(objects[i])
	if bad := mutate(w.read(t, objects[i]), w.read(t, twin(objects, i))); bad != nil {
		if _, err := s.Put(t.Context(), key, bad, nil); err != nil {
			t.Fatal(err)
		}
	} else if m, versioned := s.(*store.Memory); versioned && strings.HasPrefix(objects[i], "archive ") {
		m.Mark(t.Context(), key)
	} else if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	rightOrNothing(t, running)

	fresh, err := archive.Open(t.Context(), w.other(t, "b").config(t))
	if err != nil {
		return // refused to start: noticed
	}
	defer fresh.Close()
	rightOrNothing(t, fresh)
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	fresh.Indexed(soon)
	r, err := fresh.Check(t.Context(), archive.CheckOptions{Content: true})
	if err == nil && len(r.Findings) == 0 && !strings.HasPrefix(objects[i], "work ") {
		t.Error("not noticed")
	}
}

// rightOrNothing retrieves both dossiers and fails if a byte other than the
// right ones comes out as a success.
func rightOrNothing(t *testing.T, a *archive.Archive) {
	for n, want := range map[int]string{1: usual["02-giay-phep.txt"], 2: "giấy phép thứ hai"} {
		c, err := a.Retrieve(t.Context(), inspector, code(n), "thanh tra")
		if err != nil {
			continue
		}
		r, _, err := c.Document("02-giay-phep.txt")
		if err != nil {
			c.Close()
			continue
		}
		got, err := io.ReadAll(r)
		if err == nil && string(got) != want {
			t.Errorf("dossier %d: got %q as a success", n, got)
		}
		r.Close()
		c.Close()
	}
}
