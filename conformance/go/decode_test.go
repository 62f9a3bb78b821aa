package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

type sample struct {
	Kind   string   `json:"kind" is:"sample"`
	Spent  float64  `json:"spent"`
	Limit  *float64 `json:"limit" may:"be null"`
	Tier   *string  `json:"tier" may:"be absent"`
	Both   *int64   `json:"both" may:"be null or absent"`
	Nested []inner  `json:"nested"`
}

type inner struct {
	Count int64 `json:"count"`
}

func TestAnAnswerIsReadWhole(t *testing.T) {
	var got sample
	text := `{"kind": "sample", "spent": 0.000001613, "limit": 2, "nested": [{"count": 1}], "later": {"than": "us"}}`
	if err := decode([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	limit := 2.0
	want := sample{Kind: "sample", Spent: 0.000001613, Limit: &limit, Nested: []inner{{Count: 1}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAnAnswerThatBreaksItsTypeIsRefusedAndNamed(t *testing.T) {
	for text, want := range map[string]string{
		`{"kind": "sample", "limit": 2, "nested": []}`:                             "$.spent: missing",
		`{"kind": "sample", "spent": 0, "nested": []}`:                             "$.limit: missing",
		`{"kind": "sample", "spent": null, "limit": 2, "nested": []}`:              "$.spent: null",
		`{"kind": "sample", "spent": "0", "limit": 2, "nested": []}`:               "$.spent: json",
		`{"kind": "sample", "spent": 0, "limit": 2, "nested": [], "tier": null}`:   "$.tier: null",
		`{"kind": "sample", "spent": 0, "limit": 2, "nested": [], "both": 1.5}`:    "$.both: json",
		`{"kind": "sample", "spent": 0, "limit": 2, "nested": null}`:               "$.nested: null",
		`{"kind": "sample", "spent": 0, "limit": 2, "nested": [{"count": 1}, {}]}`: "$.nested[1].count: missing",
		`{"kind": "other", "spent": 0, "limit": 2, "nested": []}`:                  `$.kind: "other"`,
		`[]`: "$: json",
	} {
		var got sample
		if err := decode([]byte(text), &got); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestASettingIsLeftOutNullOrAValue(t *testing.T) {
	for _, text := range []string{`{"name":"x"}`, `{"name":"x","limit":null}`, `{"name":"x","limit":1e-9}`} {
		var got newKey
		if err := strictly([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if sent := marshalled(t, got); sent != text {
			t.Errorf("%s was sent as %s", text, sent)
		}
	}
}

func marshalled(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
