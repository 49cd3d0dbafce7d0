package graph_test

import (
	"bytes"
	"testing"

	"github.com/vektah/gqlparser/v2/formatter"

	"aftercare/graph/generated"
)

func TestSchemaIsTheOneClientsKnow(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(generated.NewExecutableSchema(generated.Config{}).Schema())
	compare(t, "schema.graphql", b.Bytes())
}
