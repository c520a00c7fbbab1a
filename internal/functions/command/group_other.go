//go:build !linux

package command

import "os/exec"

// supported: a group that is killed before its leader is reaped takes Linux.
const supported = false

func alone(*exec.Cmd)     {}
func awaitExit(*exec.Cmd) {}
func killGroup(*exec.Cmd) {}
