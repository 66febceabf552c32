package storetest

import (
	"io/fs"
	"slices"
	"sync"
	"testing"

	"github.com/luutru/luutru/store"
)

// parts cuts data into parts of the least size; the last one is shorter.
func parts(data []byte) [][]byte { return slices.Collect(slices.Chunk(data, store.MinPart)) }

func (b *bench) upload(t *testing.T, key string, data []byte) *store.Info {
	t.Helper()
	u, err := b.uploader(t).Create(t.Context(), key)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	for i, part := range parts(data) {
		if err := u.Part(t.Context(), i+1, part); err != nil {
			t.Fatalf("Part: %v", err)
		}
	}
	info, err := u.Complete(t.Context())
	if err != nil {
		t.Fatalf("Complete: %v", err)
	}
	if info.Key != key || info.Size != int64(len(data)) {
		t.Fatalf("Complete returned %+v for %d bytes", info, len(data))
	}
	return info
}

func testUpload(t *testing.T, b *bench) {
	key, data := b.key("large"), content(t, 2*store.MinPart+12345)
	u, err := b.uploader(t).Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	// The last part first, then one twice, then the others at once.
	cut := parts(data)
	for _, part := range []struct {
		number int
		data   []byte
	}{{3, cut[2]}, {2, content(t, store.MinPart)}} {
		if err := u.Part(t.Context(), part.number, part.data); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for i := range 2 {
		group.Go(func() {
			if err := u.Part(t.Context(), i+1, cut[i]); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	b.wantMissing(t, key, "")
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
	info, err := u.Complete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Key != key || info.Size != int64(len(data)) {
		t.Errorf("Complete returned %+v", info)
	}
	b.want(t, key, nil, data)
	seam := int64(store.MinPart)
	b.want(t, key, &store.GetOptions{Offset: seam - 100, Length: 200}, data[seam-100:seam+100])
	b.want(t, key, &store.GetOptions{Offset: 2*seam - 1}, data[2*seam-1:])
	if infos := b.list(t, b.prefix, nil); len(infos) != 1 || infos[0].Size != int64(len(data)) {
		t.Errorf("List: %+v", infos)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("Abort after Complete: %v", err)
	}
	b.want(t, key, &store.GetOptions{Length: 5}, data[:5])
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
}

func testUploadInvalid(t *testing.T, b *bench) {
	key, ctx := b.key("invalid"), t.Context()
	u, err := b.uploader(t).Create(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "part 0", u.Part(ctx, 0, []byte("x")), fs.ErrInvalid)
	wantError(t, "part 10001", u.Part(ctx, 10001, []byte("x")), fs.ErrInvalid)
	wantError(t, "empty part", u.Part(ctx, 1, nil), fs.ErrInvalid)
	_, err = u.Complete(ctx)
	wantError(t, "Complete without parts", err, fs.ErrInvalid)
	if err := u.Part(ctx, 2, []byte("second")); err != nil {
		t.Fatal(err)
	}
	_, err = u.Complete(ctx)
	wantError(t, "Complete with a gap", err, fs.ErrInvalid)
	if err := u.Part(ctx, 1, []byte("first")); err != nil {
		t.Fatal(err)
	}
	_, err = u.Complete(ctx)
	wantError(t, "Complete with a small part", err, fs.ErrInvalid)
	if err := u.Abort(ctx); err != nil {
		t.Fatal(err)
	}
	b.wantMissing(t, key, "")
}

func testUploadAbort(t *testing.T, b *bench) {
	key, ctx := b.key("aborted"), t.Context()
	u, err := b.uploader(t).Create(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Part(ctx, 1, content(t, store.MinPart)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := u.Abort(ctx); err != nil {
			t.Fatalf("Abort: %v", err)
		}
	}
	b.wantMissing(t, key, "")
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
	wantError(t, "Part after Abort", u.Part(ctx, 1, []byte("x")), fs.ErrNotExist)
	if _, err := u.Complete(ctx); err == nil {
		t.Error("Complete after Abort: no error")
	}
	b.wantMissing(t, key, "")
}

func testUploadOverwrites(t *testing.T, b *bench) {
	key := b.key("twice")
	b.put(t, key, []byte("small"), nil)
	data := content(t, 1000) // one part, the last, may be small
	b.upload(t, key, data)
	b.want(t, key, nil, data)
	_, err := b.Put(t.Context(), key, []byte("x"), &store.PutOptions{IfAbsent: true})
	wantError(t, "Put over an upload", err, fs.ErrExist)
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
}
