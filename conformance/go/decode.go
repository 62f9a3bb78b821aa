package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// decode reads an answer into the value that `into` points to. A member that the type does not have is passed over, as a
// later version of the API may add some. Every other must be there, unless its field says `may:"be absent"`, and be of the
// field's type, unless it says `may:"be null"`; either needs a pointer. `is:"…"` is the one text that it may have.
func decode(text []byte, into any) error {
	return read(text, reflect.ValueOf(into).Elem(), "$")
}

func read(text []byte, into reflect.Value, path string) error {
	if bytes.Equal(text, []byte("null")) {
		return fmt.Errorf("%s: null, which it may not be", path)
	}
	switch {
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return read(text, into.Elem(), path)
	case into.Kind() == reflect.Struct && into.Type() != reflect.TypeFor[time.Time]():
		return readStruct(text, into, path)
	case into.Kind() == reflect.Slice:
		return readSlice(text, into, path)
	}
	if err := json.Unmarshal(text, into.Addr().Interface()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readStruct(text []byte, into reflect.Value, path string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for index := range into.NumField() {
		field := into.Type().Field(index)
		name := field.Tag.Get("json")
		may := field.Tag.Get("may")
		value, is := members[name]
		path := path + "." + name
		if !is && strings.Contains(may, "absent") || string(value) == "null" && strings.Contains(may, "null") {
			continue
		}
		if !is {
			return fmt.Errorf("%s: missing", path)
		}
		if err := read(value, into.Field(index), path); err != nil {
			return err
		}
		if text, is := field.Tag.Lookup("is"); is && reflect.Indirect(into.Field(index)).String() != text {
			return fmt.Errorf("%s: %s, which is not %q", path, value, text)
		}
	}
	return nil
}

func readSlice(text []byte, into reflect.Value, path string) error {
	var items []json.RawMessage
	if err := json.Unmarshal(text, &items); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
	for index, item := range items {
		if err := read(item, into.Index(index), fmt.Sprintf("%s[%d]", path, index)); err != nil {
			return err
		}
	}
	return nil
}

// setting is a member of a request that may be left out, null or a value, three different things.
type setting[T any] struct {
	is    bool
	value *T
}

func (setting *setting[T]) UnmarshalJSON(text []byte) error {
	setting.is = true
	return json.Unmarshal(text, &setting.value)
}

func (setting setting[T]) MarshalJSON() ([]byte, error) { return json.Marshal(setting.value) }

// IsZero says that the member is left out.
func (setting setting[T]) IsZero() bool { return !setting.is }

// strictly reads the suite's own arguments, which have no member that `into` lacks.
func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}
