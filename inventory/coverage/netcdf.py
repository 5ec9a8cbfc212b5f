"""netCDF files of any form: CF, CODAS, SAMOS, Argo, sonars. Read in a process of their own, within bounds."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.navigation.sentences import NEVER

VERSION = 1
ENDINGS: Final = ("nc", "nc3", "nc4", "cdf", "netcdf", "ncd")
MEMORY: Final = 1024**3  # bytes of address space; the libraries alone take a seventh
SECONDS: Final = 30  # of a processor
LONGEST: Final = 4 * 1024**2  # bytes of the answer
CHILD: Final = Path(__file__).with_name("netcdf_child.py")
# Nothing of ours: no paths of plug-ins, no settings, and one thread for the arithmetic, whose stacks count as memory.
_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "HDF5_USE_FILE_LOCKING": "FALSE"}


def takes(source: Source) -> bool:
    """A file that begins as netCDF-3, or as HDF5 with a name of netCDF."""
    classic = source.head[:3] == b"CDF" and source.head[3:4] in (b"\x01", b"\x02", b"\x05")
    return classic or (source.head[:8] == b"\x89HDF\r\n\x1a\n" and source.ending in ENDINGS)


def read_netcdf(source: Source) -> Reading:
    """Period and places of the surest variables of time, latitude and longitude. Raises Unreadable."""
    told = _asked(source)
    if "error" in told:
        raise Unreadable(str(told["error"])[:300])
    try:
        rows = [(NEVER if t is None else int(t), float(x), float(y)) for t, x, y in told["rows"]]
        moments = [int(one) for one in told["moments"]]
        remarks = tuple(str(one)[:300] for one in told["remarks"])
        kind, instrument = str(told["kind"])[:60], str(told["instrument"])[:80]
    except (KeyError, TypeError, ValueError):
        raise Unreadable(_DIED) from None
    return Reading(
        kind,
        np.array(moments, np.int64),
        np.array([t for t, _, _ in rows], np.int64),
        np.array([x for _, x, _ in rows], np.float64),
        np.array([y for _, _, y in rows], np.float64),
        instrument=instrument,
        remarks=remarks,
    )


_DIED = "the netCDF library gave up on it: it is damaged, or larger inside than it may be"


def _asked(source: Source) -> dict[str, Any]:
    """What the child says of the file."""
    words = [sys.executable, "-I", "-B", os.fspath(CHILD), str(source.file), str(MEMORY), str(SECONDS)]
    left = max(source.until - time.monotonic(), 1.0)
    with tempfile.TemporaryFile() as answer:
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                words,
                pass_fds=(source.file,),
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unreadable(f"it could not be read within {math.ceil(left)} s") from None
        answer.seek(0)
        text = answer.read(LONGEST + 1)
    try:
        told = json.loads(text) if done.returncode == 0 and len(text) <= LONGEST else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Unreadable(_DIED)
    return told
