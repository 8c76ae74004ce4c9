"""A network with nothing but a loopback interface, for tests of programs that listen without authentication."""

import functools
import subprocess
import sys

import pytest

UP = (  # bring `lo` up, as `ip link set lo up` does, and become the command
    "import fcntl, os, socket, struct, sys;"
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14s', b'lo', 0x41, b''));"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def enclosed(*command):
    """Return a command that runs another one in a network namespace of its own."""
    return ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", UP, *map(str, command)]


@functools.cache
def can_enclose():
    """Return whether this machine lets us make a network namespace."""
    try:
        return subprocess.run(enclosed("true"), capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def needs_enclosure(test):
    """Mark a test that starts processes which listen, and is skipped where they cannot be kept apart."""
    return pytest.mark.cluster(
        pytest.mark.skipif(not can_enclose(), reason="no network namespace can be made here")(test)
    )
