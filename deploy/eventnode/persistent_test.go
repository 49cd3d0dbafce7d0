package eventnode_test

import (
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestGroupsAreKeptButNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	create := func(c *esdb.Client) error {
		return c.CreatePersistentSubscription(t.Context(), "s", "g", esdb.PersistentStreamSubscriptionOptions{})
	}
	once(t, dir, func(c *esdb.Client) {
		if err := create(c); err != nil {
			t.Fatal(err)
		}
	})
	once(t, dir, func(c *esdb.Client) {
		if err := create(c); code(err) != esdb.ErrorCodeResourceAlreadyExists {
			t.Errorf("created twice: got %v, want that it exists", err)
		}
		_, err := c.SubscribeToPersistentSubscription(t.Context(), "s", "g", esdb.SubscribeToPersistentSubscriptionOptions{})
		if code(err) != esdb.ErrorCodeUnsupportedFeature {
			t.Errorf("consumed: got %v, want a refusal", err)
		}
		if err := c.DeletePersistentSubscription(t.Context(), "s", "g", esdb.DeletePersistentSubscriptionOptions{}); err != nil {
			t.Errorf("delete: %v", err)
		}
		err = c.DeletePersistentSubscription(t.Context(), "s", "g", esdb.DeletePersistentSubscriptionOptions{})
		if code(err) != esdb.ErrorCodeResourceNotFound {
			t.Errorf("deleted twice: got %v, want not found", err)
		}
		if err := create(c); err != nil {
			t.Errorf("created again: %v", err)
		}
	})
}
