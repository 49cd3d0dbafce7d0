package ticket

import "time"

func (Receive) isCommand()        {}
func (Acknowledge) isCommand()    {}
func (Respond) isCommand()        {}
func (Classify) isCommand()       {}
func (ChangePriority) isCommand() {}
func (Assign) isCommand()         {}
func (Escalate) isCommand()       {}
func (Wait) isCommand()           {}
func (Resume) isCommand()         {}
func (Dispatch) isCommand()       {}
func (Arrive) isCommand()         {}
func (Diagnose) isCommand()       {}
func (Plan) isCommand()           {}
func (Confirm) isCommand()        {}
func (Resolve) isCommand()        {}
func (Reopen) isCommand()         {}
func (Close) isCommand()          {}
func (Cancel) isCommand()         {}
func (AddNote) isCommand()        {}
func (Rate) isCommand()           {}
func (Lapse) isCommand()          {}
func (Recompute) isCommand()      {}
func (RecordStatus) isCommand()   {}
func (RecordTarget) isCommand()   {}
func (RecordVerdict) isCommand()  {}

func (c Receive) when() time.Time        { return c.At }
func (c Acknowledge) when() time.Time    { return c.At }
func (c Respond) when() time.Time        { return c.At }
func (c Classify) when() time.Time       { return c.At }
func (c ChangePriority) when() time.Time { return c.At }
func (c Assign) when() time.Time         { return c.At }
func (c Escalate) when() time.Time       { return c.At }
func (c Wait) when() time.Time           { return c.At }
func (c Resume) when() time.Time         { return c.At }
func (c Dispatch) when() time.Time       { return c.At }
func (c Arrive) when() time.Time         { return c.At }
func (c Diagnose) when() time.Time       { return c.At }
func (c Plan) when() time.Time           { return c.At }
func (c Confirm) when() time.Time        { return c.At }
func (c Resolve) when() time.Time        { return c.At }
func (c Reopen) when() time.Time         { return c.At }
func (c Close) when() time.Time          { return c.At }
func (c Cancel) when() time.Time         { return c.At }
func (c AddNote) when() time.Time        { return c.At }
func (c Rate) when() time.Time           { return c.At }
func (c Lapse) when() time.Time          { return c.At }
func (c Recompute) when() time.Time      { return c.At }
func (c RecordStatus) when() time.Time   { return c.At }
func (c RecordTarget) when() time.Time   { return c.At }
func (c RecordVerdict) when() time.Time  { return c.At }
