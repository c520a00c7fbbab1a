"""Runs the AWS CLI for boot.AWS: each command line in a process of its own, forked
from this one, which has loaded the CLI. To load it takes longer than most commands.

A line of standard input is a request, a line of standard output its end:
{"id", "args", "env", "dir", "out", "err"} and {"id", "status"}.
"""

import json
import os
import select
import signal
import sys
import traceback

os.environ.pop("AWS_DATA_PATH", None)

import awscli.clidriver

awscli.clidriver.create_clidriver()  # loads what it is made of
OWN_DATA = os.environ.get("AWS_DATA_PATH", "")  # the CLI sets it when it is loaded


def run(request):
    """Is the command, in the forked process. It does not return."""
    status = 255
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(request["dir"])
        os.environ.clear()
        os.environ.update(request["env"])
        data = [p for p in (OWN_DATA, request["env"].get("AWS_DATA_PATH")) if p]
        if data:
            os.environ["AWS_DATA_PATH"] = os.pathsep.join(data)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for number, name in ((1, "out"), (2, "err")):
            file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(file, number)
            os.close(file)
        sys.argv = ["aws"] + request["args"]
        try:
            status = awscli.clidriver.main()
        except SystemExit as e:
            status = e.code
        if status is None:
            status = 0
        elif not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        status = 255
    finally:
        sys.stderr.flush()
        os._exit(status)


def main():
    running = {}
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(ended, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    pending = b""
    print(json.dumps({"ready": True}), flush=True)
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
        while running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            print(json.dumps({"id": running.pop(pid), "status": os.waitstatus_to_exitcode(status)}), flush=True)
        if 0 not in ready:
            continue
        more = os.read(0, 65536)
        if not more:
            return
        *lines, pending = (pending + more).split(b"\n")
        for line in lines:
            request = json.loads(line)
            pid = os.fork()
            if pid == 0:
                run(request)
            running[pid] = request["id"]


main()
