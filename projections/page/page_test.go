package page_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aftercare/projections/page"
)

func TestACursorIsReadBackInItsOrderOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.SliceOfN(rapid.String(), 2, 2).Draw(rt, "key")
		cursor := page.Encode("received", key...)
		got, err := page.Decode(cursor, "received", 2)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(key, got); diff != "" {
			rt.Fatalf("key differs (-want +got):\n%s", diff)
		}
		if _, err := page.Decode(cursor, "number", 2); err == nil {
			rt.Fatal("a cursor of another order was taken")
		}
		if _, err := page.Decode(cursor, "received", 1); err == nil {
			rt.Fatal("a cursor with too many parts was taken")
		}
	})
}

func TestAnyTextIsReadOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String().Draw(rt, "cursor")
		if parts, err := page.Decode(text, "received", 1); err == nil && len(parts) != 1 {
			rt.Fatalf("%q was read as %q", text, parts)
		}
	})
}

func TestAPageSaysWhatLiesAroundIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows []int
		page page.Page
		want []int
		info page.Info
	}{
		"all":            {[]int{1, 2}, page.Page{First: 2}, []int{1, 2}, page.Info{}},
		"more":           {[]int{1, 2, 3}, page.Page{First: 2}, []int{1, 2}, page.Info{HasNext: true}},
		"after":          {[]int{3}, page.Page{First: 2, After: "2"}, []int{3}, page.Info{HasPrevious: true}},
		"backward":       {[]int{3, 2, 1}, page.Page{Last: 2}, []int{2, 3}, page.Info{HasPrevious: true}},
		"before the end": {[]int{2, 1}, page.Page{Last: 2, Before: "3"}, []int{1, 2}, page.Info{HasNext: true}},
	} {
		size, backward, err := c.page.Size()
		if err != nil {
			t.Fatal(err)
		}
		got, info := page.Trim(c.rows, size, backward, c.page)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: rows differ (-want +got):\n%s", name, diff)
		}
		if info != c.info {
			t.Errorf("%s: around it %+v, want %+v", name, info, c.info)
		}
	}
}
