"""Runs a command in a sandbox for `testbed.sandbox.inside`: joins its namespaces and ends as the command ends.

Usage: entry.py PID FOLDER COMMAND [ARGUMENT...]. It needs the standard library alone and is run with `python -I`.
nsenter does the same, but ends of a signal that is meant for the command, and leaves the command behind.
"""

import ctypes
import os
import signal
import sys

HELD = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Blocked by whoever starts this: a signal that comes early waits, and is the command's alone."""

NAMESPACES = 0x00020000 | 0x20000000 | 0x40000000
"""CLONE_NEWNS, CLONE_NEWPID and CLONE_NEWNET of <linux/sched.h>; Python 3.12 and later have them in os."""


def main() -> None:
    """Run the command; it is killed when this process is. The status is the command's, as a shell tells it."""
    pid, folder, *command = sys.argv[1:]
    join(int(pid))
    child = os.fork()  # only a child is in the joined PID namespace
    if not child:
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        os.execvp("setpriv", ("setpriv", "--pdeathsig", "KILL", *command))  # noqa: S606 - what the user asked for
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(status if status >= 0 else 128 - status)


def join(pid: int) -> None:
    """Enter the mount, network and PID namespaces of a process: setns(2).

    Raises:
        OSError: It has ended, or this is not root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(os.pidfd_open(pid), NAMESPACES):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main()
