package importer

import (
	"time"

	"aftercare/commands/importer/table"
)

// ParseTime reads a time as the mapping would.
func ParseTime(m *Mapping, s string, dates table.Dates) (time.Time, error) {
	t, err := m.clock()
	if err != nil {
		return time.Time{}, err
	}
	return t.parse(s, dates)
}
