"""A disk that a test can hang under a daemon: the world's, not the code's.

A process that is started with `environment` has its fsync and fdatasync wait for as long as the folder has the file
`hung`, whoever calls them: the C library's own are replaced, so SQLite waits as it does where a disk no longer answers.
Two things a real one would do besides are not shown: other calls that reach it wait as well, and where the kernel
itself waits no signal ends the process.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int wait_and(const char *name, int fd) {
    const char *hung = getenv("TEST_HUNG_DISK");
    struct timespec while_hung = {0, 20 * 1000 * 1000};
    while (hung && access(hung, F_OK) == 0) nanosleep(&while_hung, NULL);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return wait_and("fsync", fd); }
int fdatasync(int fd) { return wait_and("fdatasync", fd); }
"""


class HungDisk:
    """The disk of one daemon; it works from the beginning. Skips the test where there is no compiler."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            assert os.environ.get("CI") != "true", "there is no C compiler, and CI skips nothing"
            pytest.skip("there is no C compiler")
        folder.mkdir()
        (source := folder / "disk.c").write_text(_SHIM)
        library = folder / "disk.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self._hung = folder / "hung"
        self.environment: Mapping[str, str] = {"LD_PRELOAD": str(library), "TEST_HUNG_DISK": str(self._hung)}

    def hang(self) -> None:
        """Let nothing reach the disk from now on."""
        self._hung.touch()

    def work(self) -> None:
        """Let what waits reach it."""
        self._hung.unlink()
