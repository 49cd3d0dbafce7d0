package importer

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"aftercare/domain"
)

// Mapping says what the rows of a source mean. It is written in YAML; unknown keys are refused.
type Mapping struct {
	// Name is what the command line calls it; Source names the system in every event and defaults to Name.
	Name   string `yaml:"name"`
	Source string `yaml:"source"`
	Title  string `yaml:"title"`
	// Origin and Licence are for people.
	Origin  string `yaml:"origin"`
	Licence string `yaml:"licence"`
	// Format is "csv", "xlsx" or "xes". Defaults to what the file name says.
	Format    string `yaml:"format"`
	Delimiter string `yaml:"delimiter"`
	Encoding  string `yaml:"encoding"`
	Sheet     string `yaml:"sheet"`
	// Include and Exclude choose files of folders and archives.
	Include []string `yaml:"include"`
	Exclude []string `yaml:"exclude"`
	// Rows says what a row is: a whole "case", or one "event" of a case's history.
	Rows string `yaml:"rows"`
	// Order of the events of a case: "file" (default) or "time".
	Order string `yaml:"order"`
	// Zone is the IANA zone of times without an offset. Defaults to UTC.
	Zone string `yaml:"zone"`
	// Times are the patterns of times, tried in order: see Pattern.
	Times []string `yaml:"times"`
	// Missing are values that mean "not known", besides the empty one.
	Missing []string `yaml:"missing"`
	// Key identifies the case within the source.
	Key Value `yaml:"key"`
	// Received is when the case was opened.
	Received Value `yaml:"received"`
	// Details are codes as of each row; what changes from row to row becomes a fact.
	Details Details `yaml:"details"`
	// Customer identifies the person; only a keyed pseudonym of the value is stored.
	Customer Value `yaml:"customer"`
	// Personal data and free text of the case, encrypted when stored. Taken from the first row.
	Text Text `yaml:"text"`
	// Events are the facts of a row.
	Events []Event `yaml:"events"`
	// Attributes, Targets and Verdicts are taken from the last row of the case.
	Attributes map[string]Value `yaml:"attributes"`
	Targets    []Target         `yaml:"targets"`
	Verdicts   []Verdict        `yaml:"verdicts"`
	// Ratings are taken from the last row of the case.
	Rating *Rating `yaml:"rating"`
	// Checks refuse rows that contradict themselves.
	Checks []Check `yaml:"checks"`
	// Policies are files of policies, beside the mapping, that the import publishes first.
	Policies []string `yaml:"policies"`

	files fs.FS
}

// Details are the codes of a case.
type Details struct {
	Kind        Value `yaml:"kind"`
	Channel     Value `yaml:"channel"`
	Priority    Value `yaml:"priority"`
	Category    Value `yaml:"category"`
	Subcategory Value `yaml:"subcategory"`
	Product     Value `yaml:"product"`
	Location    Value `yaml:"location"`
	Team        Value `yaml:"team"`
	Agent       Value `yaml:"agent"`
}

// Text is what is encrypted.
type Text struct {
	Name        Value `yaml:"name"`
	Contact     Value `yaml:"contact"`
	Title       Value `yaml:"title"`
	Description Value `yaml:"description"`
}

// Event is one fact of a row. A row where At is missing does not have it.
type Event struct {
	At     Value `yaml:"at"`
	Status Value `yaml:"status"`
	// States says what each status means; Otherwise is "keep" (default: the phase stays as it is) or "refuse".
	States    map[string]State `yaml:"states"`
	Otherwise string           `yaml:"otherwise"`
	// Phase, Reason and Fact apply where States says nothing.
	State `yaml:",inline"`
}

// State is the meaning of a status.
type State struct {
	// Phase is "open", "waiting", "resolved", "closed" or "cancelled"; Reason is whom a waiting case waits for.
	Phase  string `yaml:"phase"`
	Reason string `yaml:"reason"`
	// Fact is a further fact, such as "acknowledged": see ticket.ParseFact.
	Fact string `yaml:"fact"`
}

// Target is a due time the source had set for a clock.
type Target struct {
	Clock string `yaml:"clock"`
	Due   Value  `yaml:"due"`
}

// Verdict is what the source says about its own promise. A value in neither list is no verdict.
type Verdict struct {
	Clock  string   `yaml:"clock"`
	Value  Value    `yaml:"value"`
	Met    []string `yaml:"met"`
	Missed []string `yaml:"missed"`
}

// Rating is a customer's rating on the scale from Min to Max.
type Rating struct {
	Score   Value `yaml:"score"`
	At      Value `yaml:"at"`
	Comment Value `yaml:"comment"`
	Min     int   `yaml:"min"`
	Max     int   `yaml:"max"`
}

// Check refuses a row.
type Check struct {
	// Require refuses a row without a value.
	Require Value `yaml:"require"`
	// Before and After are times: where both are known, After must not lie before Before.
	Before Value `yaml:"before"`
	After  Value `yaml:"after"`
}

//go:embed mappings
var shipped embed.FS

// Shipped returns the names of the mappings that come with the program.
func Shipped() []string {
	entries, err := fs.Glob(shipped, "mappings/*.yaml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	var names []string
	for _, e := range entries {
		if name := strings.TrimSuffix(path.Base(e), ".yaml"); !strings.HasSuffix(name, ".policy") {
			names = append(names, name)
		}
	}
	return names
}

// Load returns a shipped mapping by name. It refuses an unknown name with import.unknown-mapping.
func Load(name string) (*Mapping, error) {
	if !slices.Contains(Shipped(), name) {
		return nil, domain.Refuse(domain.NotFound, "import.unknown-mapping", "name", name, "known", strings.Join(Shipped(), ", "))
	}
	sub, err := fs.Sub(shipped, "mappings")
	if err != nil {
		return nil, fmt.Errorf("open shipped mappings: %w", err)
	}
	return Read(sub, name+".yaml")
}

// Read returns the mapping in a file. It refuses a malformed one with import.bad-mapping and all its problems, each with its line.
func Read(files fs.FS, name string) (*Mapping, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("read mapping: %w", err)
	}
	m := &Mapping{files: files}
	s := shapeOf(text)
	if len(s.problems) == 0 {
		if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(m); err != nil {
			s.at("", "%s", oneLine(err))
		}
	}
	if len(s.problems) == 0 {
		if m.Source == "" {
			m.Source = m.Name
		}
		m.validate(s)
	}
	if len(s.problems) > 0 {
		return nil, badMapping(name, s.String())
	}
	return m, nil
}

func badMapping(file, problem string) error {
	return domain.Refuse(domain.Invalid, "import.bad-mapping", "file", file, "problem", problem)
}

// PolicyFiles returns the texts of the policies the mapping brings, by file name.
func (m *Mapping) PolicyFiles() (map[string][]byte, error) {
	texts := make(map[string][]byte, len(m.Policies))
	for _, name := range m.Policies {
		text, err := fs.ReadFile(m.files, name)
		if err != nil {
			return nil, badMapping(m.Name, "policies: "+err.Error())
		}
		texts[name] = text
	}
	return texts, nil
}
