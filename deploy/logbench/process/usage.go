package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrUnknown means that the system does not tell: there is no /proc.
var ErrUnknown = errors.New("this system does not tell what a process uses")

// ticksPerSecond is the unit of /proc/PID/stat on every architecture that Go runs on.
const ticksPerSecond = 100

// CPUTime is what a process has computed so far.
func CPUTime(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, ErrUnknown
	}
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything. User and system time are the 14th and 15th fields, counted from one.
	_, rest, _ := strings.Cut(string(raw[bytes.LastIndexByte(raw, ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, ErrUnknown
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// AnonymousMemory is the memory of a process that is not a file's, in bytes: RssAnon.
func AnonymousMemory(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, ErrUnknown
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if value, found := strings.CutPrefix(line, "RssAnon:"); found {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, ErrUnknown
}
