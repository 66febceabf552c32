package jcs_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/luutru/luutru/internal/jcs"
)

func TestMarshal(t *testing.T) {
	tests := []struct {
		name string
		in   any
		want string
	}{
		{"names sorted", map[string]any{"b": 1, "a": []int{2, 3}}, `{"a":[2,3],"b":1}`},
		{"struct order does not matter", struct {
			Z string `json:"z"`
			A bool   `json:"a"`
		}{"x", true}, `{"a":true,"z":"x"}`},
		{"nothing escaped that need not be", "<hồ sơ> & \u2028 \\u2028", "\"<hồ sơ> & \u2028 \\\\u2028\""},
		{"control characters", "a\tb\x01", `"a\tb\u0001"`},
		{"raw JSON is canonicalised", json.RawMessage(`{ "b" : 1, "a":2 }`), `{"a":2,"b":1}`},
	}
	for _, tt := range tests {
		got, err := jcs.Marshal(tt.in)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
	for _, bad := range []any{1.5, 1e30, map[string]any{"a": 0.1}, []any{1 << 60}} {
		if got, err := jcs.Marshal(bad); err == nil {
			t.Errorf("%v: got %s, want an error", bad, got)
		}
	}
}

type pair struct {
	A int    `json:"a"`
	B string `json:"b"`
}

func TestUnmarshalIsStrict(t *testing.T) {
	var p pair
	if err := jcs.Unmarshal([]byte(`{"a":1,"b":"x"}`), &p); err != nil || p != (pair{1, "x"}) {
		t.Fatalf("got %v, %v", p, err)
	}
	for _, bad := range []string{
		`{"b":"x","a":1}`, `{"a":1, "b":"x"}`, `{"a":1,"b":"x"} `, `{"a":1,"b":"x"}{}`,
		`{"a":1,"b":"x","c":2}`, `{"a":1,"a":1,"b":"x"}`, `{"A":1,"b":"x"}`, `{"a":1}`, `{"a":01,"b":"x"}`, ``,
	} {
		if err := jcs.Unmarshal([]byte(bad), new(pair)); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":"hồ sơ"}`))
	f.Add([]byte(`{"a":9007199254740993,"b":"\u2028"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p pair
		if jcs.Unmarshal(data, &p) != nil {
			return
		}
		again, err := jcs.Marshal(&p)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q became %q, %v", data, again, err)
		}
	})
}
