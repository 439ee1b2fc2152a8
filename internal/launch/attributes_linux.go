package launch

import "syscall"

// attributes puts a child into its own group and has the kernel kill it when
// the parent dies. The kernel forgets that wish when the user changes; the
// runtime therefore makes it after the change.
func attributes(runAs *Account) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if runAs != nil {
		a.Credential = runAs.credential()
	}
	return a
}
