"use strict";
(() => {
  const socket = new URL("/graphql", location.href);
  socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const queries = [
    `# How far the read models have come.
query Views {
  views { name position lagMs behind parked events failing }
}
`,
    `# The newest cases, their promises and what happened last.
query Tickets {
  tickets(first: 10) {
    totalCount
    nodes {
      id number phase priority receivedAt revision
      title { ... on ClearText { text } ... on ForgottenText { subject } }
      clocks { clock origin state due }
      timeline(last: 3) { nodes { type occurredAt } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    `# Opens a case. With the same commandId, sending it again changes nothing.
mutation Receive {
  receiveTicket(input: {
    commandId: "0192d3a0-0000-7000-8000-000000000001"
    kind: "repair" channel: "phone" priority: "high"
    customer: "customer-1" name: "Ada" title: "The pump does not start"
  }) {
    ... on TicketChanged { position revision repeated ticket { id number phase clocks { clock due } } }
    ... on Problem { code message params { name value } }
  }
}
`,
    `# How often promises were kept, by clock and priority.
query Attainment {
  slaAttainment(input: { by: [{ dimension: CLOCK }, { dimension: PRIORITY }] }) {
    dimensions { name value }
    attainment { numerator denominator value low high method }
    openBreached overrunP90
  }
}
`,
    `# Put the id of a case in, then change it elsewhere.
subscription Watch {
  ticketChanged(id: "…") { position ticket { phase priority revision } }
}
`,
  ];
  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher: GraphiQL.createFetcher({ url: "/graphql", subscriptionUrl: socket.href }),
      defaultTabs: queries.map((query) => ({ query })),
      defaultEditorToolsVisibility: false,
      isHeadersEditorEnabled: true,
    }),
  );
})();
