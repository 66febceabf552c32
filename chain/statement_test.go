package chain_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/signing"
)

func sign(t testing.TB, k *signing.Key, line string) []byte {
	t.Helper()
	s, err := chain.SignStatement(k, []byte(line), now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func made(t testing.TB) *material {
	t.Helper()
	m, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStatement(t *testing.T) {
	m := made(t)
	for _, line := range []string{"{}", "", `{"tiếng":"Việt"}`, strings.Repeat("x", 1<<16)} {
		s := sign(t, m.key, line)
		for _, trust := range [][]*signing.Certificate{{m.certificate}, {m.other.Certificate(), m.certificate}} {
			if got, err := chain.OpenStatement(s, trust...); err != nil || string(got) != line {
				t.Errorf("%.20q: got %.20q, %v", line, got, err)
			}
		}
		for _, trust := range [][]*signing.Certificate{nil, {m.other.Certificate()}} {
			if got, err := chain.OpenStatement(s, trust...); !errors.Is(err, signing.ErrSignature) || got != nil {
				t.Errorf("%.20q, trust %d: got %.20q, %v; want ErrSignature", line, len(trust), got, err)
			}
		}
	}
}

func TestStatementAltered(t *testing.T) {
	m := made(t)
	good := sign(t, m.key, `{"x":1}`)
	line, sig, _ := bytes.Cut(good, []byte("\n"))
	for name, bad := range map[string][]byte{
		"empty":              {},
		"a line feed":        []byte("\n"),
		"no signature":       line,
		"signature alone":    sig,
		"another line":       append([]byte("{}\n"), sig...),
		"CR LF":              append(append(bytes.Clone(line), '\r', '\n'), sig...),
		"a space":            append(append(bytes.Clone(line), ' ', '\n'), sig...),
		"two signatures":     append(bytes.Clone(good), sig...),
		"another's":          sign(t, m.other, `{"x":1}`),
		"a certificate":      append(append(bytes.Clone(line), '\n'), armored(t, m.certificate)...),
		"nothing in the end": append(bytes.Clone(line), '\n'),
	} {
		if got, err := chain.OpenStatement(bad, m.certificate); !errors.Is(err, signing.ErrSignature) || got != nil {
			t.Errorf("%s: got %q, %v; want ErrSignature", name, got, err)
		}
	}
	for i := range line {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, err := chain.OpenStatement(bad, m.certificate); !errors.Is(err, signing.ErrSignature) {
			t.Errorf("octet %d altered: got %v, want ErrSignature", i, err)
		}
	}
}

func armored(t testing.TB, c *signing.Certificate) []byte {
	t.Helper()
	b, err := c.Armor()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStatementByHand takes a statement apart as docs/format.md §1 says.
func TestStatementByHand(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	m := made(t)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/s", sign(t, m.key, `{"tiếng":"Việt"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), sh, "-c", `head -n1 s | tr -d '\n' > m; tail -n +2 s > m.sig`)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	message, err := os.ReadFile(dir + "/m")
	if err != nil {
		t.Fatal(err)
	}
	sig, err := os.ReadFile(dir + "/m.sig")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.certificate.Verify(message, sig); err != nil {
		t.Error(err)
	}
}

const goodLine = `{"body":{"text":"x"},"by":"y","chain":"dossiers/x","n":1,"node":"a","prev":"` +
	`0000000000000000000000000000000000000000000000000000000000000000","time":"2026-11-24T03:22:30.123456Z","type":"noted","v":1}`

// TestParse signs what is no act of version 1: a signature alone does not make
// one.
func TestParse(t *testing.T) {
	m := made(t)
	good := sign(t, m.key, goodLine)
	a, err := chain.Parse(good, m.certificate)
	if err != nil || a.Chain != "dossiers/x" || a.N != 1 || !a.When().Equal(now) || !bytes.Equal(a.Raw(), good) {
		t.Fatalf("got %+v, %v", a, err)
	}
	for name, change := range map[string][2]string{
		"another version":     {`"v":1`, `"v":2`},
		"no version":          {`,"v":1`, ``},
		"no time":             {`"2026-11-24T03:22:30.123456Z"`, `""`},
		"another time":        {`2026-11-24T`, `2026-13-24T`},
		"a field too many":    {`"by":"y"`, `"by":"y","bz":"y"`},
		"a field twice":       {`"by":"y"`, `"by":"y","by":"y"`},
		"capitals":            {`"by"`, `"By"`},
		"a space":             {`,"by"`, `, "by"`},
		"another order":       {`"by":"y","chain":"dossiers/x"`, `"chain":"dossiers/x","by":"y"`},
		"an escape":           {`"y"`, `"\u0079"`},
		"an empty sealed":     {`"time"`, `"sealed":"","time"`},
		"a fraction":          {`"n":1`, `"n":1.0`},
		"a space in a body":   {`{"text"`, `{ "text"`},
		"a body out of order": {`{"text":"x"}`, `{"text":"x","a":1}`},
		"text for a number":   {`"n":1`, `"n":"1"`},
		"null":                {goodLine, `null`},
		"a list":              {goodLine, `[]`},
		"nothing":             {goodLine, ``},
		"two":                 {goodLine, goodLine + goodLine},
	} {
		line := strings.Replace(goodLine, change[0], change[1], 1)
		if line == goodLine {
			t.Fatalf("%s changes nothing", name)
		}
		if a, err := chain.Parse(sign(t, m.key, line), m.certificate); err == nil {
			t.Errorf("%s: got %+v", name, a)
		}
	}
}

// TestDecode is strict: what a body says beyond the known is not ignored.
func TestDecode(t *testing.T) {
	m := made(t)
	a, err := chain.Parse(sign(t, m.key, strings.Replace(goodLine, `{"text":"x"}`, `{"more":1,"text":"x"}`, 1)), m.certificate)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Decode(new(note)); err == nil || !strings.Contains(err.Error(), "dossiers/x 0001") {
		t.Errorf("got %v, want an error that names the act", err)
	}
	var all map[string]any
	if err := a.Decode(&all); err != nil || len(all) != 2 {
		t.Errorf("got %v, %v", all, err)
	}
}

// FuzzParse: what is accepted is what was signed, to the octet.
func FuzzParse(f *testing.F) {
	m := made(f)
	good := sign(f, m.key, goodLine)
	f.Add(good)
	f.Add(sign(f, m.key, `{}`))
	f.Add(sign(f, m.other, goodLine))
	f.Add(bytes.Replace(good, []byte(`"n":1`), []byte(`"n":2`), 1))
	f.Add(bytes.Replace(good, []byte("\n"), []byte("\r\n"), 1))
	f.Add(append(bytes.Clone(good), '\n'))
	for _, i := range []int{0, 60, 250, 300, 350, 400, len(good) - 30} {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := chain.Parse(data, m.certificate)
		if err != nil {
			return
		}
		if line, _, _ := bytes.Cut(data, []byte("\n")); string(line) != goodLine {
			t.Errorf("accepted, and never signed: %q", line)
		}
		if !bytes.Equal(a.Raw(), data) || a.Chain != "dossiers/x" || a.N != 1 {
			t.Errorf("got %+v", a)
		}
	})
}
