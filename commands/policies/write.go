package policies

import (
	"fmt"
	"io"

	"github.com/goccy/go-yaml"

	"aftercare/domain/policy"
)

// Write writes a file that Read reads. Comments stand at the end of the lines that their paths, such as $.policies[0].calendar.holidays[3],
// lead to.
func Write(w io.Writer, versions []policy.Version, comments map[string]string) error {
	notes := make(yaml.CommentMap, len(comments))
	for path, text := range comments {
		notes[path] = []*yaml.Comment{yaml.LineComment(" " + text)}
	}
	text, err := yaml.MarshalWithOptions(file{versions}, yaml.WithComment(notes), yaml.IndentSequence(true), yaml.UseSingleQuote(false))
	if err != nil {
		return fmt.Errorf("write policies: %w", err)
	}
	_, err = w.Write(text)
	return err
}
