"""Two inventories of a million files: how long does comparing take, and how much memory?

Run as `.venv/bin/python tests/bench/compare.py [FILES]`. Two md5deep lists with sizes are made, one file in a hundred
is changed, moved, missing or new. Each time stands beside that of `sort` and `comm` on the same lines, which only tell
which lines differ. Memory is the most that the process held, and each comparison runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = ("changed", "moved", "missing", "new")


def lines(count: int, *, now: bool) -> list[bytes]:
    """A list as `md5deep -r -l -z` prints it; `now`: after a hundredth of the files met with something."""
    made = []
    for n in range(count):
        digest = hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest()
        path = f"./cruise/instrument{n % 60:02d}/raw/2026-{n % 12 + 1:02d}/instrument{n % 60:02d}-{n:09d}.raw"
        fate = WORDS[n // 100 % 4] if n % 100 == 0 else ""
        if (now and fate == "missing") or (not now and fate == "new"):
            continue
        if now and fate == "changed":
            digest = digest[::-1]
        if now and fate == "moved":
            path = path.replace("raw/", "proc/")
        made.append(f"{n % 9999999 + 1:10d}  {digest}  {path}\n".encode())
    return made


def timed(*words: str, ok: tuple[int, ...] = (0,)) -> tuple[float, float]:
    """Seconds and the most memory in MB of one command."""
    started = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=ROOT, env=os.environ | {"LC_ALL": "C"})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in ok, (words, process.returncode)
    return time.perf_counter() - started, used.ru_maxrss / 1024


def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as folder:
        os.environ |= {"LEADLINE_MODE": "test", "LEADLINE_HOME": folder}
        before, now = Path(folder) / "before.md5", Path(folder) / "now.md5"
        before.write_bytes(b"".join(lines(count, now=False)))
        now.write_bytes(b"".join(lines(count, now=True)))
        base, _ = timed("bash", "-c", f"comm -3 <(sort {before}) <(sort {now})")
        print(f"{'sort and comm (baseline)':<40}{base:8.2f} s", flush=True)
        manage = (sys.executable, str(ROOT / "manage.py"))
        timed(*manage, "migrate", "--verbosity", "0")
        for what, words, code in (
            ("compare, a hundredth differs", (str(before), str(now)), 1),
            ("compare, the same", (str(before), str(before)), 0),
        ):
            took, memory = timed(*manage, "compare", *words, ok=(code,))
            print(f"{what:<40}{took:8.2f} s  {took / base:5.1f} x the baseline   {memory:,.0f} MB", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
