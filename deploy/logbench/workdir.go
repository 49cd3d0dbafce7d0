package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// workDir makes a folder that the account of a server can get through, also when we are root.
func workDir(base string) (string, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return "", err
	}
	if inMemory(base) {
		return "", fmt.Errorf("%s is in memory, where a sync costs nothing: choose a --dir on a disk", base)
	}
	dir, err := os.MkdirTemp(base, "logbench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) //nolint:gosec // G302: see above
}

// profile begins a CPU profile in a folder and returns what ends it. An empty folder means none.
func profile(folder, name string) (func(), error) {
	if folder == "" {
		return func() {}, nil
	}
	file, err := os.Create(filepath.Join(folder, name+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		_ = file.Close() // nothing is in it
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close() // a profile cut short is seen when it is read
	}, nil
}
