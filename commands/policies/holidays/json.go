package holidays

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"aftercare/domain/calendar"
)

// ReadJSON reads a year of holiday-cn. A year that was not published yet has no days, and is not complete.
func ReadJSON(r io.Reader) (Feed, error) {
	var file struct {
		Year   int
		Papers []string
		Days   []struct {
			Name     string
			Date     calendar.Date
			IsOffDay *bool
		}
	}
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return Feed{}, fmt.Errorf("read holidays: %w", err)
	}
	if file.Year == 0 {
		return Feed{}, errors.New("read holidays: it has no year")
	}
	f := Feed{Papers: file.Papers}
	for _, d := range file.Days {
		switch {
		case d.Date.IsZero() || d.IsOffDay == nil:
			return Feed{}, fmt.Errorf("read holidays of %d: %q has no date, or does not say whether it is off", file.Year, d.Name)
		case *d.IsOffDay:
			f.Off = append(f.Off, Day{d.Date, d.Name})
		default:
			f.Worked = append(f.Worked, Day{d.Date, d.Name})
		}
	}
	if len(file.Days) > 0 {
		f.Years = []int{file.Year}
	}
	return Merge(f), nil
}
