package command

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

const supported = true

// alone makes a program the leader of a process group, that dies with this
// process.
func alone(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitExit waits until the program has ended, and leaves it to be reaped.
func awaitExit(c *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, c.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// killGroup kills the program and whatever it started in its group.
func killGroup(c *exec.Cmd) { _ = unix.Kill(-c.Process.Pid, unix.SIGKILL) } // it may be gone
