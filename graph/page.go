package graph

import (
	"strconv"

	"aftercare/domain"
	"aftercare/graph/model"
	"aftercare/projections/page"
)

// Sizes of a page.
const (
	defaultPage = 20
	largestPage = 100
)

// pageOf reads the arguments of a connection. It refuses both ends at once and pages larger than largestPage.
func pageOf(first *int, after *string, last *int, before *string) (page.Page, error) {
	for _, n := range []*int{first, last} {
		if n != nil && (*n < 1 || *n > largestPage) {
			return page.Page{}, domain.Refuse(domain.Invalid, "page.size", "max", strconv.Itoa(largestPage))
		}
	}
	p := page.Page{After: text(after), Before: text(before)}
	switch {
	case first != nil && last != nil:
		return page.Page{}, domain.Refuse(domain.Invalid, "page.first-and-last")
	case last != nil:
		p.Last = *last
	case first != nil:
		p.First = *first
	default:
		p.First = defaultPage
	}
	return p, nil
}

func pageInfo(i page.Info, cursors []string) *model.PageInfo {
	info := &model.PageInfo{HasNextPage: i.HasNext, HasPreviousPage: i.HasPrevious}
	if len(cursors) > 0 {
		info.StartCursor, info.EndCursor = &cursors[0], &cursors[len(cursors)-1]
	}
	return info
}
