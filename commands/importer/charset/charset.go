// Package charset turns the text of a foreign file into UTF-8.
package charset

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Known reports whether a name is one of the WHATWG encoding standard, such as "gb18030".
func Known(name string) bool {
	_, err := htmlindex.Get(name)
	return err == nil
}

// Decode returns the text of r in UTF-8, without a byte order mark. A mark says what the encoding is; else name does; else text whose
// first character has a zero byte is UTF-16; else it is taken for UTF-8 and passed on as it is. Translated reports that it was
// another encoding, in which U+FFFD stands for what could not be read.
func Decode(r io.Reader, name string) (text io.Reader, translated bool, err error) {
	b := bufio.NewReaderSize(r, 1<<16)
	start, err := b.Peek(4)
	if err != nil && len(start) == 0 && err != io.EOF { //nolint:errorlint // Peek returns io.EOF itself
		return nil, false, fmt.Errorf("read text: %w", err)
	}
	has := func(prefix string) bool { return strings.HasPrefix(string(start), prefix) }
	var enc encoding.Encoding
	switch {
	case has("\xef\xbb\xbf"):
		_, _ = b.Discard(3)
		return b, false, nil
	case has("\xff\xfe"):
		enc = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case has("\xfe\xff"):
		enc = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case name != "":
		if enc, err = htmlindex.Get(name); err != nil {
			return nil, false, fmt.Errorf("encoding %q: %w", name, err)
		}
		if enc == unicode.UTF8 {
			return b, false, nil
		}
	case len(start) >= 2 && start[0] != 0 && start[1] == 0:
		enc = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case len(start) >= 2 && start[0] == 0 && start[1] != 0:
		enc = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	default:
		return b, false, nil
	}
	return transform.NewReader(b, enc.NewDecoder()), true, nil
}
