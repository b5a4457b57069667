package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const lockName = "emberwatch.lock"

// lockEvery is the time between two tries to get the lock.
const lockEvery = 50 * time.Millisecond

// lock takes the folder for this process, waiting up to timeout for another to let go of it. A lock on the
// folder rather than on state.db also holds while files are replaced by renaming. The kernel frees it
// when the process ends, however it ends.
func lock(dir string, timeout time.Duration) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := flock(f, timeout); err != nil {
		pid := holder(f)
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &LockedError{Path: dir, PID: pid}
		}
		return nil, fmt.Errorf("lock data folder %s: %w", dir, err)
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	return f, nil
}

func flock(f *os.File, timeout time.Duration) error {
	for waited := time.Duration(0); ; waited += lockEvery {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || waited >= timeout {
			return err
		}
		time.Sleep(lockEvery)
	}
}

// holder reads the process id that the holder of the lock left in the file.
func holder(f *os.File) int {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		return 0
	}
	return pid
}

// syncDir makes created, renamed and removed names of a folder durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Free returns how much of the disk that holds dir is free for this user, in percent.
func Free(dir string) (percent float64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	if st.Blocks == 0 {
		return 100, nil
	}
	return 100 * float64(st.Bavail) / float64(st.Blocks), nil
}
