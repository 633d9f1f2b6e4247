"""Runs a command in a sandbox for `testbed.sandbox.inside`: joins its namespaces and ends with the command's status.

Usage: entry.py PID FOLDER COMMAND [ARGUMENT...]. It needs the standard library alone and is run with `python -I`.
nsenter does the same, but a signal for the command ends nsenter and leaves the command running.
"""

import ctypes
import os
import signal
import sys

HELD = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""The caller blocks them before it starts this program: an early signal waits, and only the command gets it."""

NAMESPACES = 0x00020000 | 0x20000000 | 0x40000000
"""CLONE_NEWNS, CLONE_NEWPID and CLONE_NEWNET of <linux/sched.h>; Python 3.12 and later have them in os."""


def main() -> None:
    """Run the command; it is killed when this process is. The status is the command's, as in a shell."""
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
