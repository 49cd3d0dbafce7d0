package main_test

import "fmt"

// truths are figures of the real data that others computed.
func truths() map[string]truth {
	attainment := func(input string) string {
		return "{ slaAttainment(input: {" + input + "}) { dimensions { value } attainment { value numerator denominator } } }"
	}
	verdicts := func(source, more string) string {
		return attainment(fmt.Sprintf("basis: SOURCE_VERDICT, filter: {source: [%q]}, %s", source, more))
	}
	counts := func(source, more string) string {
		return fmt.Sprintf("{ caseStatistics(input: {filter: {source: [%q]}, %s}) { dimensions { value } cases } }", source, more)
	}
	statistics := func(source, fields string) string {
		return fmt.Sprintf("{ caseStatistics(input: {filter: {source: [%q]}}) { %s } }", source, fields)
	}
	durations := func(source, from, to, more string, fields string) string {
		return fmt.Sprintf("{ durations(input: {filter: {source: [%q]}, from: {%s}, to: {%s}, %s}) { dimensions { value } %s } }",
			source, from, to, more, fields)
	}
	const by = "by: [{dimension: %s}]"
	const boston = `clocks: ["resolution"], filter: {source: ["boston311"]%s}`
	const flagged = `, attributes: [{name: "on_time"}]`
	return map[string]truth{
		"uci: cases and rows": {
			query: statistics("uci-incidents", "cases sourceRows sourceRowsMean sourceRowsMedian sourceRowsMax"),
			want:  []string{"20769 119998 5.7777 5 58"},
		},
		"uci: made SLA": {query: verdicts("uci-incidents", ""), want: []string{"60.6433 12595 20769"}},
		"uci: made SLA by priority": {
			query: verdicts("uci-incidents", fmt.Sprintf(by, "PRIORITY")),
			want:  []string{"critical 2.2727 5 220", "high 0.2967 1 337", "low 81.9149 539 658", "moderate 61.6242 12050 19554"},
		},
		"uci: made SLA by month of opening": {
			query: verdicts("uci-incidents", `cohort: RECEIVED, from: "2016-03-01T00:00:00Z", `+fmt.Sprintf(by, "MONTH")),
			want:  []string{"2016-03 39.8555 3585 8995", "2016-04 76.6952 6085 7934", "2016-05 76.8236 2791 3633"},
		},
		"uci: reopened": {
			query: statistics("uci-incidents", "reopened { value numerator denominator } reopenEvents"),
			want:  []string{"1.1267 234 20769 276"},
		},
		"uci: reassigned, as the source counted": {
			query: `{ caseStatistics(input: {filter: {source: ["uci-incidents"], attributes: [{name: "reassignment_count", notIn: ["0"]}]}}) { cases } }`,
			want:  []string{"9843"},
		},
		"uci: opened to resolved": {
			query: durations("uci-incidents", `fact: "received"`, `attribute: "resolved_at"`, "", "count median p90 mean"),
			want:  []string{"19351 24.6000 397.3667 187.6780"},
		},
		"uci: opened to resolved by priority": {
			query: durations("uci-incidents", `fact: "received"`, `attribute: "resolved_at"`, fmt.Sprintf(by, "PRIORITY"), "median"),
			want:  []string{"critical 78.1667", "high 48.3167", "low 22.8500", "moderate 24.2917"},
		},
		"uci: opened to closed": {
			query: durations("uci-incidents", `fact: "received"`, `attribute: "closed_at"`, "", "median p90"),
			want:  []string{"153.9167 550.1067"},
		},
		"uci: contact": {
			query: counts("uci-incidents", fmt.Sprintf(by, "CHANNEL")),
			want:  []string{"Email 36", "Phone 20733"},
		},

		"bpic: cases and rows": {
			query: statistics("bpic2013", "cases sourceRows sourceRowsMean sourceRowsMedian sourceRowsMax"),
			want:  []string{"7554 65533 8.6753 6 123"},
		},
		"bpic: total duration": {
			query: `{ durations(input: {filter: {source: ["bpic2013"]}, from: {firstEvent: true}, to: {lastEvent: true}}) { total } }`,
			unit:  1, want: []string{"7883772512.0000"},
		},
		"bpic: throughput": {
			query: durations("bpic2013", "firstEvent: true", "lastEvent: true", "", "median mean p90"), unit: days,
			want: []string{"7.549126 12.079344 22.555546"},
		},
		"bpic: first event to first Completed": {
			query: durations("bpic2013", "firstEvent: true",
				`status: ["Completed/Resolved", "Completed/In Call", "Completed/Closed", "Completed/Cancelled"]`, "", "count median p90"),
			want: []string{"7546 6.0267 382.4951"},
		},
		"bpic: reopened": {
			query: statistics("bpic2013", "reopened { value numerator denominator } reopenEvents"),
			want:  []string{"6.8043 514 7554 580"},
		},
		"bpic: dwell": {
			query: `{ dwell(input: {filter: {source: ["bpic2013"]}}) { status total } }`,
			want: []string{
				"Accepted/Assigned 116913.1203", "Accepted/In Progress 321502.2742", "Accepted/Wait 150214.2294",
				"Accepted/Wait - Customer 11660.2783", "Accepted/Wait - Implementation 63937.1231", "Accepted/Wait - User 463412.4886",
				"Accepted/Wait - Vendor 41199.0950", "Completed/Closed 20493.8408", "Completed/In Call 10844.9814",
				"Completed/Resolved 687769.0931", "Queued/Awaiting Assignment 301989.3536", "Unmatched/Unmatched 0.9311",
			},
		},
		"bpic: 2012-04 in local time": {
			query: `{ caseStatistics(input: {filter: {source: ["bpic2013"], receivedFrom: "2012-03-31T22:00:00Z", receivedBefore: "2012-04-30T22:00:00Z"},
				zone: "Europe/Stockholm", by: [{dimension: MONTH}]}) { dimensions { value } cases } }`,
			want: []string{"2012-04 2027"},
		},
		"bpic: 2012-04 in UTC": {
			query: `{ caseStatistics(input: {filter: {source: ["bpic2013"], receivedFrom: "2012-04-01T00:00:00Z", receivedBefore: "2012-05-01T00:00:00Z"},
				by: [{dimension: MONTH}]}) { dimensions { value } cases } }`,
			want: []string{"2012-04 2039"},
		},

		"helpdesk: cases and rows": {
			query: statistics("helpdesk", "cases sourceRows sourceRowsMean sourceRowsMedian"),
			want:  []string{"4580 21348 4.6611 4"},
		},
		"helpdesk: throughput": {
			query: durations("helpdesk", "firstEvent: true", "lastEvent: true", "", "median mean p90"), unit: days,
			want: []string{"39.859219 40.858408 53.005646"},
		},
		"helpdesk: first event to first taking in charge": {
			query: durations("helpdesk", "firstEvent: true", `status: ["Take in charge ticket"]`, "", "count median p90"),
			want:  []string{"4285 16.3897 351.7431"},
		},
		"helpdesk: first event to last resolution": {
			query: durations("helpdesk", "firstEvent: true", `status: ["Resolve ticket"], last: true`, "", "count median"),
			want:  []string{"4569 159.7903"},
		},
		"helpdesk: work after the end": {
			query: statistics("helpdesk", "reopened { numerator } reopenEvents"),
			want:  []string{"152 161"},
		},
		"helpdesk: opened by year": {
			query: counts("helpdesk", fmt.Sprintf(by, "YEAR")),
			want:  []string{"2010 977", "2011 1518", "2012 1412", "2013 673"},
		},

		"boston: tickets and closed ones": { // only a closed one has a row of its history
			query: statistics("boston311", "cases sourceRows"),
			want:  []string{"41429 32853"},
		},
		"boston: with a target": { // 34329 in all
			query: `{ slaAttainment(input: {basis: SOURCE_TARGET, asOf: "2016-01-13T04:00:00Z", ` + fmt.Sprintf(boston, "") + `}) { met metLate openBreached running } }`,
			want:  []string{"21758 7788 4422 361"},
		},
		"boston: on time, by our clocks and elsewhere by the target": {
			query: attainment("basis: OURS_ELSE_SOURCE_TARGET, finishedOnly: true, " + fmt.Sprintf(boston, flagged)),
			want:  []string{"73.7409 21758 29506"},
		},
		"boston: on time, by the targets": {
			query: attainment("basis: SOURCE_TARGET, finishedOnly: true, " + fmt.Sprintf(boston, flagged)),
			want:  []string{"73.7409 21758 29506"},
		},
		"boston: open with a target, and overdue": { // 4772 in all
			query: `{ slaAttainment(input: {basis: SOURCE_TARGET, asOf: "2016-01-13T04:00:00Z", ` + fmt.Sprintf(boston, flagged) + `}) { running openBreached } }`,
			want:  []string{"361 4411"},
		},
		"boston: on time by source": {
			query: attainment("basis: OURS_ELSE_SOURCE_TARGET, finishedOnly: true, " + fmt.Sprintf(boston, flagged) + ", " + fmt.Sprintf(by, "CHANNEL")),
			want: []string{
				"Citizens Connect App 78.9200 5305 6722", "City Worker App 92.3107 4754 5150", "Constituent Call 63.4465 9175 14461",
				"Employee Generated 82.7586 1728 2088", "Maximo Integration 95.2381 40 42", "Self Service 72.2330 744 1030", "Twitter 92.3077 12 13",
			},
		},
		"boston: closing": {
			query: durations("boston311", `fact: "received"`, `fact: "closed"`, `wallClock: true, zone: "America/New_York"`, "count median p90"),
			want:  []string{"32853 80.2067 860.2519"},
		},

		"cfpb: timely": {query: verdicts("cfpb", ""), want: []string{"96.0621 58619 61022"}},
		"cfpb: timely by product": {
			query: verdicts("cfpb", fmt.Sprintf(by, "PRODUCT")),
			want: []string{
				"Checking or savings account 96.4031 23237 24104",
				"Credit card or prepaid card 95.6351 15096 15785",
				"Credit reporting, credit repair services, or other personal consumer reports 93.6835 7045 7520",
				"Debt collection 93.5616 2514 2687",
				"Money transfer, virtual currency, or money service 95.8629 3244 3384",
				"Mortgage 99.7559 6539 6555",
				"Payday loan, title loan, or personal loan 96.9789 321 331",
				"Student loan 100.0000 39 39",
				"Vehicle loan or lease 94.6515 584 617",
			},
		},
		"cfpb: timely by year": {
			query: `{ slaAttainment(input: {basis: SOURCE_VERDICT, filter: {source: ["cfpb"]}, cohort: RECEIVED, zone: "America/New_York", by: [{dimension: YEAR}]})
				{ dimensions { value } attainment { value } } }`,
			want: []string{
				"2017 99.8331", "2018 99.8476", "2019 99.9011", "2020 99.3066", "2021 89.0214", "2022 95.6226", "2023 93.1649",
			},
		},
		"cfpb: rows by year": {
			query: counts("cfpb", `zone: "America/New_York", `+fmt.Sprintf(by, "YEAR")),
			want:  []string{"2017 5394", "2018 7872", "2019 7075", "2020 8942", "2021 11149", "2022 12953", "2023 9131"},
		},
		"cfpb: channels": {
			query: counts("cfpb", fmt.Sprintf(by, "CHANNEL")),
			want: []string{
				"Email 2", "Fax 233", "Phone 4684", "Postal mail 1318", "Referral 10766", "Web 45423", "Web Referral 90",
			},
		},
		"cfpb: what companies answered": {
			query: counts("cfpb", `by: [{dimension: ATTRIBUTE, attribute: "company_response"}]`),
			// Relief in money: 14697 of the 61022 that are not in progress.
			want: []string{
				"Closed 8", "Closed with explanation 41044", "Closed with monetary relief 14697", "Closed with non-monetary relief 5273",
				"In progress 1494",
			},
		},

		"cfpb sample: timely": {query: verdicts("cfpb-sample", ""), want: []string{"98.5807 6529 6623"}},
		"cfpb sample: blank is not No": {
			query: counts("cfpb-sample", `by: [{dimension: ATTRIBUTE, attribute: "disputed"}]`),
			want:  []string{" 6591", "No 23", "Yes 9"},
		},
	}
}
