package crashtest

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"

	"aftercare/deploy/eventnode/storage"
)

// ErrPowerOff is what everything fails with once the power is off.
var ErrPowerOff = errors.New("the power is off")

// Disk keeps files in memory as a page cache and a disk do. Reads see every write; only a successful sync puts what
// was written on the disk. When the power goes, any sectors of what was not synced are there and the others
// are not, and a truncation happened or not. A failed sync loses pages the way Linux does: the next one succeeds,
// without them. It is safe for concurrent use.
type Disk struct {
	mu     sync.Mutex
	rng    *rand.Rand
	sector int
	files  map[string]*diskFile
	life   int // files opened in an earlier one are dead
	fuse   int // operations until the power goes, or negative
	odds   Odds
}

// Odds say how often things go wrong, from 0 to 1.
type Odds struct {
	Write    float64 // nothing or a part is written, and an error comes back
	Short    float64 // a part is written, without an error
	Sync     float64 // pages are lost, and an error comes back
	Truncate float64 // an error comes back
	Evict    float64 // after a failed sync, the cache forgets the lost pages, too
}

// NewDisk returns an empty disk on which everything works. All its choices follow from seed.
func NewDisk(seed uint64) *Disk {
	rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // tests repeat themselves
	return &Disk{rng: rng, sector: []int{512, 4096}[rng.IntN(2)], files: map[string]*diskFile{}, fuse: -1}
}

// diskFile is one file: what reads see, what a power cut leaves for sure, and what happened since.
type diskFile struct {
	cache, disk []byte
	pending     []change
}

// change is a write that is not on the disk, or a truncation when data is nil.
type change struct {
	at   int
	data []byte
}

// Files is what to set as Files of a store.
func (d *Disk) Files(name string, beneath storage.File) storage.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[name] == nil {
		d.files[name] = &diskFile{}
	}
	return &openFile{disk: d, file: d.files[name], life: d.life, real: beneath}
}

// Break sets how often things go wrong from now on.
func (d *Disk) Break(o Odds) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.odds = o
}

// CutPowerAfter turns the power off after n more operations that change a file.
func (d *Disk) CutPowerAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fuse = n
}

// Kill ends the process: what is open fails from now on, what it wrote stays in the cache.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.life++
	d.fuse = -1
	d.odds = Odds{}
}

// LoseWrites is what happens when the kernel cannot write back what a dead process left: nobody is told.
func (d *Disk) LoseWrites() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		f.lose(d, 0)
	}
}

// PowerLoss turns the power off and on again: everything open is dead, and only what reached the disk is left.
func (d *Disk) PowerLoss() {
	d.Kill()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		f.settle(d, []float64{0, 0.2, 0.5, 0.9, 1}[d.rng.IntN(5)])
		f.pending = nil
		f.cache = slices.Clone(f.disk)
	}
}

// Bytes returns what reads of a file see. Changing it is what a bad disk does.
func (d *Disk) Bytes(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[name]; f != nil {
		return f.cache
	}
	return nil
}

// Rot flips a bit of a file where it is stored.
func (d *Disk) Rot(name string, bit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	for _, b := range [][]byte{f.cache, f.disk} {
		if bit/8 < len(b) {
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// Clone returns a disk with the same contents.
func (d *Disk) Clone(seed uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := NewDisk(seed)
	for name, f := range d.files {
		c.files[name] = &diskFile{cache: slices.Clone(f.cache), disk: slices.Clone(f.disk), pending: slices.Clone(f.pending)}
	}
	return c
}

// settle puts each sector of what is pending on the disk with the given probability.
func (f *diskFile) settle(d *Disk, share float64) {
	for _, c := range f.pending {
		if c.data == nil {
			if d.rng.Float64() < share {
				f.disk = resize(f.disk, c.at)
			}
			continue
		}
		if d.rng.Float64() < share { // the new size, before the data
			f.disk = resize(f.disk, max(len(f.disk), c.at+len(c.data)))
		}
		for from := c.at; from < c.at+len(c.data); {
			to := min((from/d.sector+1)*d.sector, c.at+len(c.data))
			if d.rng.Float64() < share {
				f.disk = resize(f.disk, max(len(f.disk), to))
				copy(f.disk[from:to], c.data[from-c.at:to-c.at])
			}
			from = to
		}
	}
}

// lose makes the kernel forget what is pending, after some of it was written. The size it does not forget.
func (f *diskFile) lose(d *Disk, evict float64) {
	f.settle(d, d.rng.Float64())
	before := f.pending
	f.pending = []change{{at: len(f.cache)}}
	if d.rng.Float64() >= evict {
		return
	}
	left := resize(slices.Clone(f.disk), len(f.cache))
	for _, c := range before {
		if c.data != nil && c.at < len(f.cache) {
			copy(f.cache[c.at:min(c.at+len(c.data), len(f.cache))], left[c.at:])
		}
	}
}

// resize returns b with n bytes, new ones zero.
func resize(b []byte, n int) []byte {
	if n <= len(b) {
		return b[:n]
	}
	if n <= cap(b) {
		old := len(b)
		b = b[:n]
		clear(b[old:])
		return b
	}
	return append(b, make([]byte, n-len(b))...)
}

// openFile is a file as one process has it open.
type openFile struct {
	disk *Disk
	file *diskFile
	life int
	real storage.File
}

// use locks the disk. It fails when the power is off.
func (f *openFile) use() (func(), error) {
	d := f.disk
	d.mu.Lock()
	if f.life != d.life || d.fuse == 0 {
		d.mu.Unlock()
		return nil, ErrPowerOff
	}
	return d.mu.Unlock, nil
}

// burn counts an operation that changes something.
func (d *Disk) burn() (last bool) {
	if d.fuse > 0 {
		d.fuse--
	}
	return d.fuse == 0
}

// ReadAt reads the cache.
func (f *openFile) ReadAt(p []byte, off int64) (int, error) {
	done, err := f.use()
	if err != nil {
		return 0, err
	}
	defer done()
	if off >= int64(len(f.file.cache)) {
		return 0, io.EOF
	}
	n := copy(p, f.file.cache[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes to the cache.
func (f *openFile) WriteAt(p []byte, off int64) (int, error) {
	done, err := f.use()
	if err != nil {
		return 0, err
	}
	defer done()
	d, n := f.disk, len(p)
	switch {
	case d.burn():
		n, err = d.rng.IntN(len(p)+1), ErrPowerOff
	case d.rng.Float64() < d.odds.Write:
		n, err = d.rng.IntN(len(p)), syscall.ENOSPC
	case d.rng.Float64() < d.odds.Short:
		n = d.rng.IntN(len(p))
	}
	if n > 0 {
		f.file.cache = resize(f.file.cache, max(len(f.file.cache), int(off)+n))
		copy(f.file.cache[off:], p[:n])
		f.file.pending = append(f.file.pending, change{int(off), slices.Clone(p[:n])})
	}
	return n, err
}

// Sync puts what is in the cache on the disk.
func (f *openFile) Sync() error {
	done, err := f.use()
	if err != nil {
		return err
	}
	defer done()
	d := f.disk
	if d.burn() {
		f.file.settle(d, d.rng.Float64())
		return ErrPowerOff
	}
	if d.rng.Float64() < d.odds.Sync {
		f.file.lose(d, d.odds.Evict)
		return syscall.EIO
	}
	f.file.settle(d, 1)
	f.file.pending = nil
	return nil
}

// Truncate changes the size in the cache.
func (f *openFile) Truncate(size int64) error {
	done, err := f.use()
	if err != nil {
		return err
	}
	defer done()
	d := f.disk
	if d.burn() {
		return ErrPowerOff
	}
	if d.rng.Float64() < d.odds.Truncate {
		return syscall.EIO
	}
	f.file.cache = resize(f.file.cache, int(size))
	f.file.pending = append(f.file.pending, change{at: int(size)})
	return nil
}

// Size is that of the cache.
func (f *openFile) Size() (int64, error) {
	done, err := f.use()
	if err != nil {
		return 0, err
	}
	defer done()
	return int64(len(f.file.cache)), nil
}

// Close closes the file that stands on the real disk in place of this one.
func (f *openFile) Close() error { return f.real.Close() }
