package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolterrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store is closed")
	// ErrFull: a file would have grown past Options.MaxSize. Nothing was written.
	ErrFull = errors.New("store has reached its configured size")
	// ErrOccupied: a backup was asked for where something is. Nothing was changed.
	ErrOccupied = errors.New("something is there already; name a folder that does not exist yet, or an empty one")
)

// LockedError: another process has the data folder open.
type LockedError struct {
	Path string // the data folder
	PID  int    // of that process; 0: not known
}

// Error names the folder and the process.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("data folder %s is in use by another process", e.Path)
	}
	return fmt.Sprintf("data folder %s is in use by another emberwatch (pid %d)", e.Path, e.PID)
}

// VersionError: a file or record was written by a newer emberwatch. It is left as it is.
type VersionError struct {
	Path  string
	Found int
	Known int
}

// Error names the file and both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%s was written by a newer emberwatch (format %d, this one knows %d): "+
		"run that version again, or restore a backup made by this one", e.Path, e.Found, e.Known)
}

// DamagedError: a file cannot be what was written. It is left as it is, for a backup to be restored or for
// somebody to look into.
type DamagedError struct {
	Path   string
	Backup string // the newest backup of the folder; empty: there is none
	Err    error
}

// Error names the file, the cause, the last backup and the command that puts it back.
func (e *DamagedError) Error() string {
	if e.Backup == "" {
		return fmt.Sprintf("%s is damaged: %v; it was left as it is, and there is no backup of it", e.Path, e.Err)
	}
	return fmt.Sprintf("%s is damaged: %v; it was left as it is; the last backup is put back by: "+
		"emberwatch --data %s store restore %s", e.Path, e.Err, filepath.Dir(e.Path), e.Backup)
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// ExposedError: other users of the machine can read the data folder, and it could not be closed to them.
type ExposedError struct {
	Path string
	Mode os.FileMode
	Err  error
}

// Error names the path and its mode.
func (e *ExposedError) Error() string {
	return fmt.Sprintf("%s is open to other users (mode %04o) and could not be closed to them: %v",
		e.Path, e.Mode.Perm(), e.Err)
}

// Unwrap returns why the mode could not be changed.
func (e *ExposedError) Unwrap() error { return e.Err }

// named adds the file to an error of bbolt and translates the one that callers branch on.
func named(path string, err error) error {
	if errors.Is(err, bolterrors.ErrMaxSizeReached) {
		err = ErrFull
	}
	return fmt.Errorf("%s: %w", filepath.Base(path), err)
}
