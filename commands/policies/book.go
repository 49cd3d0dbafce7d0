package policies

import (
	"context"
	"errors"
	"fmt"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/policy"
)

// Watch calls f with the book of all published policies, once when it has read them all and then after each change. tz is the
// version of the tz database in use. It returns when ctx ends or f returns an error.
func Watch(ctx context.Context, log commands.Follower, tz string, f func(*policy.Book) error) error {
	book, told := policy.NewBook(tz), false
	return log.Follow(ctx, domain.Position{}, []string{policy.Category + "."}, func(batch []domain.Recorded, live bool) error {
		var published []policy.Published
		for _, r := range batch {
			e, ok := r.Event.(policy.Published)
			if !ok {
				return fmt.Errorf("read policies: %w: %s", commands.ErrUnknownType, r.Type)
			}
			published = append(published, e)
		}
		next, err := book.With(published...)
		if err != nil {
			return fmt.Errorf("read policies: %w", err)
		}
		book = next
		if !told && !live || told && len(published) == 0 {
			return nil
		}
		told = true
		return f(book)
	})
}

// Load returns the book of all policies published so far. It waits for a store that is down until ctx ends.
func Load(ctx context.Context, log commands.Follower, tz string) (*policy.Book, error) {
	var book *policy.Book
	loaded := errors.New("loaded")
	err := Watch(ctx, log, tz, func(b *policy.Book) error {
		book = b
		return loaded
	})
	if !errors.Is(err, loaded) {
		return nil, fmt.Errorf("load policies: %w", err)
	}
	return book, nil
}
