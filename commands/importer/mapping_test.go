package importer_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands/importer"
	"aftercare/domain"
)

func files(pairs ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i := 0; i+1 < len(pairs); i += 2 {
		all[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return all
}

const least = "name: small\nrows: case\nkey: id\nreceived: opened\n"

func TestShippedMappingsAreValid(t *testing.T) {
	t.Parallel()
	want := []string{"boston311", "bpic2013", "cfpb", "csat", "helpdesk", "uci-incidents"}
	if diff := cmp.Diff(want, importer.Shipped()); diff != "" {
		t.Errorf("shipped (-want +got):\n%s", diff)
	}
	for _, name := range importer.Shipped() {
		m, err := importer.Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Name != name || m.Source == "" || m.Origin == "" || m.Licence == "" && name != "csat" {
			t.Errorf("%s: says too little of itself: %q %q %q %q", name, m.Name, m.Source, m.Origin, m.Licence)
		}
		policies, err := m.PolicyFiles()
		if err != nil || len(policies) != len(m.Policies) {
			t.Errorf("%s: policies %v, %v", name, policies, err)
		}
	}
}

func TestUnknownMapping(t *testing.T) {
	t.Parallel()
	_, err := importer.Load("nowhere")
	var refused *domain.Error
	if !errors.As(err, &refused) || refused.Kind != domain.NotFound || refused.Code != "import.unknown-mapping" || !strings.Contains(refused.Params["known"], "bpic2013") {
		t.Errorf("got %v", err)
	}
}

func TestMalformedMappingNamesEveryProblemWithItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"no yaml":        {"name: [", "[1:7] sequence end token ']' not found"},
		"nothing":        {"", "nothing is there"},
		"only a comment": {"# to come\n", "nothing is there"},
		"a list":         {"- a\n- b\n", "keys with values are needed"},
		"needed keys":    {"title: x\n", `key: missing; name: missing; received: missing; rows: "" is not one of case, event`},
		"unknown keys": {
			least + "colour: red\ndetails:\n  kind: a\n  teem: b\nevents:\n  - at: x\n    status: y\n    states:\n      Open: {phase: open, facct: responded}\n",
			"line 5: colour: not a key that is known here: attributes, checks, customer, delimiter, details, encoding, events, exclude, format, " +
				"include, key, licence, missing, name, order, origin, policies, rating, received, rows, sheet, source, targets, text, times, title, verdicts, zone; " +
				"line 8: details.teem: not a key that is known here: agent, category, channel, kind, location, priority, product, subcategory, team; " +
				"line 13: events[0].states[Open].facct: not a key that is known here: fact, phase, reason",
		},
		"types": {
			least + "times: iso8601\nrating: {score: s, at: t, min: one, max: [5]}\ntext: everything\ndetails:\n  kind: {columns: k, optional: perhaps}\n",
			"line 5: times: a list is needed; line 6: rating.max: a whole number is needed; line 6: rating.min: a whole number is needed; " +
				"line 7: text: keys with values are needed; line 9: details.kind.columns: a list is needed; line 9: details.kind.optional: true or false is needed",
		},
		"meaning": {
			strings.Replace(least, "case", "line", 1) + "order: random\nzone: Mars/Olympus\ntimes: [yyyy, QQQ]\nformat: pdf\ndelimiter: '::'\nencoding: klingon\ninclude: ['[']\n",
			`line 2: rows: "line" is not one of case, event; line 5: order: "random" is not one of file, time; ` +
				`line 6: zone: "Mars/Olympus" is not an IANA zone; line 7: times[0]: time pattern "yyyy": a year, a month and a day are needed; ` +
				`line 7: times[1]: time pattern "QQQ": letter "Q" is not known; line 8: format: "pdf" is not one of csv, xlsx, xes; ` +
				`line 9: delimiter: "::" is not one character that can stand between fields; line 10: encoding: "klingon" is not known; ` +
				`line 11: include[0]: "[" is not a pattern of names`,
		},
		"the zone of the machine": {least + "zone: Local\n", `line 5: zone: "Local" is not an IANA zone`},
		"values": {
			least + "details:\n  kind: {columns: [a], const: b}\n  team: {default: north}\n  agent: {template: 'a}{b'}\n  product: ['']\n",
			`line 6: details.kind: columns, const and template exclude one another; line 7: details.team: needs columns, const or template; ` +
				`line 8: details.agent: "a}{b" does not name columns as {name}; line 9: details.product: a column needs a name`,
		},
		"events": {
			least + "events:\n  - at: a\n    otherwise: guess\n    phase: half\n    states:\n      W: {phase: waiting}\n      X: {fact: eaten}\n",
			`line 6: events[0].status: missing; line 6: events[0]: phase "half" is not known; line 7: events[0].otherwise: "guess" is not one of keep, refuse; ` +
				`line 10: events[0].states[W]: a waiting phase needs a reason; line 11: events[0].states[X]: fact "eaten" is not known`,
		},
		"outcomes": {
			least + "targets:\n  - due: d\nverdicts:\n  - {clock: c, value: v}\n  - {clock: c, value: v, met: ['Yes'], missed: [YES]}\nrating: {score: s, at: t, min: 5, max: 1}\nchecks:\n  - {before: a}\n",
			`line 6: targets[0].clock: missing; line 8: verdicts[0]: needs met or missed; line 9: verdicts[1]: "Yes" is both met and missed; ` +
				`line 10: rating: min has to be below max; line 12: checks[0]: needs require, or before and after`,
		},
		"a policy that is not there": {least + "policies: [here.yaml, gone.yaml]\n", `line 5: policies[1]: there is no file "gone.yaml" beside the mapping`},
		"a policy elsewhere":         {least + "policies: [../here.yaml]\n", `line 5: policies[0]: there is no file "../here.yaml" beside the mapping`},
		"a key twice":                {least + "zone: UTC\nzone: UTC\n", `[6:1] mapping key "zone" already defined at [5:1]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := importer.Read(files("m.yaml", c.text, "here.yaml", "policies: []"), "m.yaml")
			var refused *domain.Error
			if !errors.As(err, &refused) || refused.Code != "import.bad-mapping" || refused.Kind != domain.Invalid || refused.Params["file"] != "m.yaml" {
				t.Fatalf("got %v", err)
			}
			got, want := strings.Split(refused.Params["problem"], "; "), strings.Split(c.want, "; ")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMappingOfOneSourceIsNamedForIt(t *testing.T) {
	t.Parallel()
	m, err := importer.Read(files("m.yaml", least), "m.yaml")
	if err != nil || m.Source != "small" {
		t.Errorf("got %+v, %v", m, err)
	}
}

func FuzzMapping(f *testing.F) {
	f.Add(least)
	f.Add("a: &x {b: *x}\n<<: *x\n? [q]\n: 1\n")
	f.Add("key: !!binary x\nevents: {at: 1}\n---\nname: 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := importer.Read(files("m.yaml", text), "m.yaml")
		var refused *domain.Error
		if err != nil && (!errors.As(err, &refused) || refused.Params["problem"] == "") {
			t.Errorf("a mapping is refused without a problem: %v", err)
		}
	})
}
