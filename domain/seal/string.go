package seal

// String tells what a Text is and not what it says, so that logs and test failures cannot give it away.
func (t Text) String() string {
	switch {
	case t.IsZero():
		return "(no text)"
	case t.forgotten:
		return "(forgotten text of " + string(t.subject) + ")"
	case t.plain == "":
		return "(sealed text of " + string(t.subject) + ")"
	}
	return "(text of " + string(t.subject) + ")"
}

// GoString returns the same.
func (t Text) GoString() string { return t.String() }
