//go:build unix && !linux

package launch

import "syscall"

// attributes puts a child into its own group. Only Linux can tie its life to
// the parent's; elsewhere the next start stops what a killed parent left.
func attributes(runAs *Account) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if runAs != nil {
		a.Credential = runAs.credential()
	}
	return a
}
