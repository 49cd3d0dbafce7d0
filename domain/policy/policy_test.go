package policy_test

import (
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/clock"
	"aftercare/domain/domaintest"
	"aftercare/domain/policy"
)

var now = day(1)

func day(n int) time.Time { return time.Date(2026, time.March, n, 9, 0, 0, 0, time.UTC) }

func office(number int) policy.Version {
	week := map[string][]calendar.Interval{"mon": {{"09:00", "17:00"}}}
	return policy.Version{ID: "office", Number: number, Calendar: &calendar.Definition{Zone: "Asia/Shanghai", Week: week}}
}

func pack(id string, number int, clocks ...clock.Definition) policy.Version {
	return policy.Version{ID: id, Number: number, Clocks: clocks}
}

func within(budget int) clock.Definition {
	return clock.Definition{
		Clock: "resolution", Start: []string{"received"}, Stop: []string{"resolved"}, Budget: budget, Unit: clock.Minutes, Calendar: "office",
	}
}

func changed(v policy.Version, f func(*policy.Version)) policy.Version {
	f(&v)
	return v
}

func published(versions ...policy.Version) (all []policy.Published) {
	for _, v := range versions {
		all = append(all, policy.Published{At: now, Version: v})
	}
	return all
}

func TestPublish(t *testing.T) {
	t.Parallel()
	type example = domaintest.Case[policy.Publish, policy.Published]
	invalid := func(code string) error { return domain.Refuse(domain.Invalid, code) }
	publish := func(v policy.Version) policy.Publish { return policy.Publish{At: now, Version: v} }
	named := within(5)
	named.Name = "other"
	bad := within(-1)
	from := func(y int, zone *time.Location) func(*policy.Version) {
		return func(v *policy.Version) { v.ValidFrom = time.Date(y, 1, 1, 8, 0, 0, 0, zone) }
	}
	utc8 := time.FixedZone("", 8*60*60)
	domaintest.Run(t, policy.Decider(), map[string]example{
		"a calendar is put in force":               {When: publish(office(1)), Then: published(office(1))},
		"a pack is put in force":                   {When: publish(pack("p", 1, within(5), named)), Then: published(pack("p", 1, within(5), named))},
		"the next version is put in force":         {Given: published(office(1)), When: publish(office(2)), Then: published(office(2))},
		"the same version again leads to nothing":  {Given: published(office(1), office(2)), When: publish(office(1))},
		"a version never changes":                  {Given: published(office(1)), When: publish(changed(office(1), func(v *policy.Version) { v.Title = "x" })), Fails: domain.Refuse(domain.Conflict, "policy.version-exists", "id", "office", "version", "1")},
		"versions have no gaps":                    {Given: published(office(1)), When: publish(office(3)), Fails: domain.Refuse(domain.Invalid, "policy.version-gap", "id", "office", "version", "3", "next", "2")},
		"versions begin with 1":                    {When: publish(office(2)), Fails: invalid("policy.version-gap")},
		"no version is below 1":                    {Given: published(office(1)), When: publish(office(0)), Fails: invalid("policy.version-gap")},
		"a negative version is refused":            {Given: published(office(1)), When: publish(office(-1)), Fails: invalid("policy.version-gap")},
		"a calendar does not become a pack":        {Given: published(office(1)), When: publish(pack("office", 2, within(5))), Fails: domain.Refuse(domain.Conflict, "policy.other-content")},
		"a pack does not become a calendar":        {Given: published(pack("office", 1, within(5))), When: publish(office(2)), Fails: domain.Refuse(domain.Conflict, "policy.other-content")},
		"the time is needed":                       {When: policy.Publish{Version: office(1)}, Fails: invalid("command.time-missing")},
		"the id is needed":                         {When: publish(pack("", 1, within(5))), Fails: invalid("policy.id-missing")},
		"an id has no slash":                       {When: publish(pack("a/b", 1, within(5))), Fails: invalid("policy.malformed-id")},
		"there is a calendar or there are clocks":  {When: publish(pack("p", 1)), Fails: invalid("policy.content-missing")},
		"there are not both":                       {When: publish(changed(office(1), func(v *policy.Version) { v.Clocks = []clock.Definition{within(5)} })), Fails: invalid("policy.content-missing")},
		"it begins before it ends":                 {When: publish(changed(office(1), func(v *policy.Version) { v.ValidFrom, v.ValidTo = now, now })), Fails: invalid("policy.never-valid")},
		"a bad calendar is refused":                {When: publish(policy.Version{ID: "c", Number: 1, Calendar: &calendar.Definition{Zone: "Mars/Base"}}), Fails: invalid("calendar.unknown-zone")},
		"a bad definition is refused":              {When: publish(pack("p", 1, bad)), Fails: invalid("clock.bad-definition")},
		"definitions of one name are refused":      {When: publish(pack("p", 1, within(5), within(6))), Fails: domain.Refuse(domain.Invalid, "policy.definition-twice", "id", "p", "name", "resolution")},
		"times are kept in UTC":                    {When: publish(changed(office(1), from(2026, utc8))), Then: published(changed(office(1), func(v *policy.Version) { v.ValidFrom = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }))},
		"the same instant in another zone is same": {Given: published(changed(office(1), from(2026, utc8))), When: publish(changed(office(1), func(v *policy.Version) { v.ValidFrom = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }))},
	})
}
