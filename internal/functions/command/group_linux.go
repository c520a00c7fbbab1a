package command

import (
	"errors"
	"math"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

const supported = true

// alone makes a program the leader of a process group, that dies with this
// process and has no file of it. What Go opens is closed in programs that it
// starts; what this process was started with is not (a supervisor's sockets),
// and is told to be here. A kernel before 5.11 does not know how.
func alone(c *exec.Cmd) {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
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
