package crashtest

import "aftercare/deploy/eventnode/storage"

// Op is what is done to a file.
type Op uint8

// The operations that can be made to fail.
const (
	Read Op = iota + 1
	Write
	Sync
	Truncate
)

// Fault decides what becomes of an operation on n bytes (0 for others than reads and writes) of the file called name. An
// error is returned to the store in place of doing it. Done is how many bytes a write puts there before it fails, or
// before it stops without an error when err is nil; a negative number means all of them. It may block.
type Fault func(name string, op Op, n int) (done int, err error)

// Faulty returns what to set as Files of a store or a node so that fault is asked before everything.
func Faulty(fault Fault) func(string, storage.File) storage.File {
	return func(name string, f storage.File) storage.File { return &faulty{f, name, fault} }
}

// Fails returns a fault that answers err to the given operations while on returns true.
func Fails(on func() bool, err error, ops ...Op) Fault {
	return func(_ string, op Op, _ int) (int, error) {
		for _, o := range ops {
			if o == op && on() {
				return 0, err
			}
		}
		return -1, nil
	}
}

type faulty struct {
	storage.File
	name  string
	fault Fault
}

func (f *faulty) ReadAt(p []byte, off int64) (int, error) {
	if _, err := f.fault(f.name, Read, len(p)); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faulty) WriteAt(p []byte, off int64) (int, error) {
	done, err := f.fault(f.name, Write, len(p))
	if done >= 0 && done < len(p) {
		n, werr := f.File.WriteAt(p[:done], off)
		if werr != nil {
			return n, werr
		}
		return n, err
	}
	if err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faulty) Sync() error {
	if _, err := f.fault(f.name, Sync, 0); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faulty) Truncate(size int64) error {
	if _, err := f.fault(f.name, Truncate, 0); err != nil {
		return err
	}
	return f.File.Truncate(size)
}
