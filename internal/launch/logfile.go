package launch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	defaultLogLimit = 10 << 20
	tailLines       = 20
	tailLineLimit   = 500 // bytes of one line that the tail keeps
)

// logFile writes what a process says to a file of bounded size, its predecessor
// kept as one more file, and remembers the last lines.
type logFile struct {
	mu      sync.Mutex
	path    string
	limit   int64
	file    *os.File // nil when nothing is kept on disk
	size    int64
	partial []byte // the line being written
	last    []string
}

func openLog(path string, limit int64) (*logFile, error) {
	if limit == 0 {
		limit = defaultLogLimit
	}
	l := &logFile{path: path, limit: limit}
	if path == "" {
		return l, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return l, l.open()
}

func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.size = file, info.Size()
	return nil
}

// copyFrom reads to the end and closes both sides. A full disk must not block
// the process behind the pipe, so reading goes on when writing fails.
func (l *logFile) copyFrom(output io.ReadCloser) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := output.Read(buffer)
		l.write(buffer[:n])
		if err != nil {
			_ = output.Close()
			_ = l.Close()
			return
		}
	}
}

func (l *logFile) write(data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remember(data)
	if l.file == nil {
		return
	}
	if l.size > 0 && l.size+int64(len(data)) > l.limit {
		l.rotate()
	}
	n, err := l.file.Write(data)
	l.size += int64(n)
	if err != nil {
		l.last = append(l.last, fmt.Sprintf("(the log could not be written: %v)", err))
	}
}

// rotate keeps one older file. When it fails, the log goes on in place.
func (l *logFile) rotate() {
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		return
	}
	old := l.file
	if err := l.open(); err != nil {
		return
	}
	_ = old.Close()
}

// remember keeps the last complete lines.
func (l *logFile) remember(data []byte) {
	for {
		line, rest, complete := bytes.Cut(data, []byte("\n"))
		if room := tailLineLimit - len(l.partial); room > 0 {
			l.partial = append(l.partial, line[:min(room, len(line))]...)
		}
		if !complete {
			return
		}
		l.last = append(l.last, string(l.partial))
		l.partial = l.partial[:0]
		if len(l.last) > tailLines {
			l.last = l.last[len(l.last)-tailLines:]
		}
		data = rest
	}
}

// Tail is the last lines, the unfinished one included.
func (l *logFile) Tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.last
	if len(l.partial) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(l.partial))
	}
	return strings.Join(lines, "\n")
}

// Close ends writing; the tail stays readable.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	return file.Close()
}
