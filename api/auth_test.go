package api_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
)

func write(t testing.TB, path string, ts []api.Token) {
	t.Helper()
	b, err := json.Marshal(ts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	if _, err := api.OpenTokens(path, clock, slog.New(slog.DiscardHandler)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	lan := archive.Agent{Subject: "lan", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"H29"}}
	secret, first := api.NewToken(lan, now.Add(time.Hour))
	old, second := api.NewToken(lan, now)
	write(t, path, []api.Token{first, second})
	ts, err := api.OpenTokens(path, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(header string) (archive.Agent, error) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		return ts.Authenticate(r)
	}
	if got, err := ask("Bearer " + secret); err != nil || !reflect.DeepEqual(got, lan) {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, header := range map[string]string{"none": "", "other": "Bearer x", "expired": "Bearer " + old, "digest": "Bearer " + first.SHA256, "basic": "Basic " + secret} {
		if _, err := ask(header); !errors.Is(err, api.ErrUnauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := os.WriteFile(path, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ask("Bearer " + secret); err != nil {
		t.Errorf("a broken file locks everybody out: %v", err)
	}
	write(t, path, []api.Token{second})
	if _, err := ask("Bearer " + secret); !errors.Is(err, api.ErrUnauthenticated) {
		t.Errorf("withdrawn: got %v", err)
	}
}

func TestParseTokensIsStrict(t *testing.T) {
	const good = `{"subject":"a","token_sha256":"` + "0123456789012345678901234567890123456789012345678901234567890123" + `","roles":["archivist"],"agencies":["H29"],"expires":"2041-01-01T00:00:00Z"}`
	if _, err := api.ParseTokens([]byte("[" + good + "]")); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"not a list": good, "more": "[" + good + "] x", "twice": "[" + good + "," + good + "]",
		"unknown field": strings.Replace("["+good+"]", "agencies", "agency", 1), "unknown role": strings.Replace("["+good+"]", "archivist", "admin", 1),
		"no roles": strings.Replace("["+good+"]", `"archivist"`, "", 1), "no end": strings.Replace("["+good+"]", "2041", "0001", 1),
		"no subject": strings.Replace("["+good+"]", `"a"`, `""`, 1), "short digest": strings.Replace("["+good+"]", "0123", "", 1),
		"empty agency": strings.Replace("["+good+"]", "H29", "", 1),
	} {
		if ts, err := api.ParseTokens([]byte(file)); err == nil {
			t.Errorf("%s: got %+v", name, ts)
		}
	}
}

// FuzzTokens reads any token file: what is accepted survives being written.
func FuzzTokens(f *testing.F) {
	_, tok := api.NewToken(people[0], now)
	b, err := json.Marshal([]api.Token{tok})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ts, err := api.ParseTokens(data)
		if err != nil {
			return
		}
		b, err := json.Marshal(ts)
		if err != nil {
			t.Fatal(err)
		}
		again, err := api.ParseTokens(b)
		if err != nil || len(again) != len(ts) {
			t.Errorf("%s: %v", b, err)
		}
	})
}
