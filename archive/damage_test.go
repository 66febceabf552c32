package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	forms "github.com/luutru/luutru/submission"
)

// TestDamagedPushes pushes 2,000 randomly damaged packages of every form, a third
// of them damaged only after they were opened: every one is answered, and none is
// half stored.
func TestDamagedPushes(t *testing.T) {
	w := newWorld(t)
	a := w.open(t)
	ingest(t, a, code(0))
	var whole [][]byte
	for n, form := range []string{archive.FormSIP, archive.FormDIP, archive.FormBag} {
		d, c := pushed(code(n + 1))
		if _, err := a.Ingest(t.Context(), portal, d, c); err != nil {
			t.Fatal(err)
		}
		whole = append(whole, packed(t, a, code(n+1), form))
	}
	d, c := pushed(code(4))
	whole = append(whole, plain(t, d, c))

	fresh := newWorld(t) // nothing of these dossiers is there yet
	b := fresh.open(t)
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	outcomes := map[string]int{}
	for n := range rounds {
		r := rand.New(rand.NewPCG(7, uint64(n)))
		data := bytes.Clone(whole[n%len(whole)])
		damage := func() { data = damaged(r, data) }
		late := n%3 == 0
		if !late {
			damage()
		}
		outcomes[push(t, b, &data, func() {
			if late {
				damage()
			}
		})]++
	}
	t.Logf("%v", outcomes)
	if len(outcomes) < 3 || outcomes["archived"] > rounds/2 || outcomes["refused"] < rounds/4 {
		t.Errorf("the damage is not random enough: %v", outcomes)
	}
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := b.Check(t.Context(), archive.CheckOptions{Content: true})
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("got %+v, %v", report, err)
	}
	var packages, packets int
	for _, o := range fresh.objects(t) {
		if strings.HasPrefix(o, "archive packages/") {
			packages++
		}
		if strings.HasPrefix(o, "keys ") {
			packets++
		}
	}
	if packages != report.Dossiers || packets != report.Dossiers || report.Dossiers == 0 || report.Dossiers > len(whole)+outcomes["archived"] {
		t.Errorf("%d packages and %d key packets of %d dossiers", packages, packets, report.Dossiers)
	}
}

// pushed is the usual dossier under a code.
func pushed(code string) (*dossier.Declaration, archive.Content) { return submission(code, usual) }

// packed is a dossier of the archive, in a form.
func packed(t *testing.T, a *archive.Archive, code, form string) []byte {
	t.Helper()
	c, err := a.Retrieve(t.Context(), inspector, code, "kiểm thử")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b bytes.Buffer
	if _, err := c.WriteForm(&b, form); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plain is a ZIP with dossier.json beside the documents.
func plain(t *testing.T, d *dossier.Declaration, c archive.Content) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	file := func(name string, r io.Reader) {
		w, err := z.Create("ho-so/" + name)
		if err == nil {
			_, err = io.Copy(w, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	declaration, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	file("dossier.json", bytes.NewReader(declaration))
	for {
		name, r, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		file(name, r)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// damaged changes data as a bad line, a bad disk or a bad program would.
func damaged(r *rand.Rand, data []byte) []byte {
	at := func() int { return r.IntN(len(data)) }
	switch r.IntN(5) {
	case 0:
		for range 1 + r.IntN(20) {
			data[at()] ^= 1 << r.IntN(8)
		}
	case 1:
		return data[:at()]
	case 2:
		i := at()
		clear(data[i:min(len(data), i+1+r.IntN(4096))])
	case 3:
		i := at()
		return append(data[:i:i], data[min(len(data), i+1+r.IntN(300)):]...)
	case 4: // in what is read, not in what frames it
		if i := bytes.Index(data, []byte("xây dựng")); i >= 0 {
			data[i+r.IntN(8)] ^= byte(1 + r.IntN(255))
		}
	}
	return data
}

// shifting reads what data is at the moment.
type shifting struct{ data *[]byte }

func (s shifting) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(*s.data).ReadAt(p, off)
}

// push pushes a package as the server does, and says what came of it.
func push(t *testing.T, a *archive.Archive, data *[]byte, opened func()) string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	sub, err := forms.Open(ctx, shifting{data}, int64(len(*data)), dossier.Limits{}, nil)
	if err == nil {
		opened()
		var r *archive.Receipt
		r, err = a.Ingest(ctx, portal, sub.Declaration, sub)
		if err = errors.Join(err, sub.Close()); err == nil {
			k, _ := keys()
			if _, err := r.VerifyDeclaration(k.Archive.Certificate(), k.LogVerifier, sub.Declaration); err != nil {
				t.Error(err)
			}
			return "archived"
		}
	}
	var invalid *dossier.ValidationError
	switch {
	case errors.As(err, &invalid):
		if len(invalid.Problems) == 0 || slices.ContainsFunc(invalid.Problems, func(p dossier.Problem) bool { return p.Vietnamese == "" || p.English == "" }) {
			t.Errorf("refused without saying why: %+v", invalid)
		}
		return "refused"
	case errors.Is(err, archive.ErrConflict):
		return "conflict"
	}
	return fmt.Sprintf("failed: %.60s", err) // of the source, while it was read: the push is repeated
}
