package commands

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// minHashKey is the least length of a key that is worth the name.
const minHashKey = 16

var errNoHashKey = errors.New("the handler has no hash key")

// hash returns the keyed fingerprint of command bodies: 16 bytes in hex.
func hash[C any](key []byte, commands []C) (string, error) {
	if len(key) < minHashKey {
		return "", errNoHashKey
	}
	var (
		b   []byte
		err error
	)
	for i := range commands {
		// Through a pointer, so that a C that is an interface is encoded with the name of what it holds.
		if b, err = canonical(b, reflect.ValueOf(&commands[i]).Elem()); err != nil {
			return "", fmt.Errorf("hash a command: %w", err)
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(b)
	return hex.EncodeToString(mac.Sum(nil)[:16]), nil
}

var timeType = reflect.TypeFor[time.Time]()

// canonical appends an encoding of v that is equal for equal values and different for different ones: every value is
// tagged or of fixed length. Zero fields of structs are left out, so that a command keeps its hash when a release adds
// an optional field. Instants are compared in UTC.
func canonical(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(b, v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.AppendUvarint(b, v.Uint()), nil
	case reflect.String:
		return appendText(b, v.String()), nil
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0), nil
		}
		return canonical(append(b, 1), v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			return append(b, 0), nil
		}
		return canonical(appendText(append(b, 1), v.Elem().Type().Name()), v.Elem())
	case reflect.Slice, reflect.Array:
		return canonicalList(b, v)
	case reflect.Map:
		return canonicalMap(b, v)
	case reflect.Struct:
		return canonicalStruct(b, v)
	case reflect.Invalid, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128,
		reflect.Chan, reflect.Func, reflect.UnsafePointer:
	}
	return nil, fmt.Errorf("no canonical form of %s", v.Type())
}

func canonicalList(b []byte, v reflect.Value) (_ []byte, err error) {
	b = binary.AppendUvarint(b, uint64(v.Len())) //nolint:gosec // a length is not negative
	for i := range v.Len() {
		if b, err = canonical(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func canonicalMap(b []byte, v reflect.Value) ([]byte, error) {
	entries := make([]string, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		entry, err := canonical(nil, it.Key())
		if err == nil {
			entry, err = canonical(entry, it.Value())
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, string(entry))
	}
	slices.Sort(entries)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		b = appendText(b, e)
	}
	return b, nil
}

func canonicalStruct(b []byte, v reflect.Value) (_ []byte, err error) {
	if v.Type() == timeType {
		if !v.CanInterface() {
			return nil, errors.New("no canonical form of an unexported time")
		}
		return appendText(b, v.Interface().(time.Time).UTC().Format(time.RFC3339Nano)), nil
	}
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			continue
		}
		b = appendText(b, v.Type().Field(i).Name)
		if b, err = canonical(b, v.Field(i)); err != nil {
			return nil, err
		}
	}
	return append(b, 0), nil // no field has an empty name
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
