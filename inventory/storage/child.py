"""Runs rclone, a program of its own, and turns what it complains about into what to do. No database here.

Its configuration is the environment's alone, and credentials are never among its words: nothing of them is in the list
of processes, in a log, in the journal or in the database.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO, Final, NamedTuple

from inventory.storage.backend import Beat, Unreachable

PROGRAM: Final = "rclone"
MOST_SAID: Final = 200_000  # bytes of complaints that are read
SLOWEST: Final = 50_000  # bytes a second; what takes longer is given up
PATIENCE: Final = 600.0  # seconds besides
# Of the environment it gets what it needs, and neither our own secrets nor what would make it talk (RCLONE_DUMP), nor
# AWS_CA_BUNDLE, with which it does not start (it reads SSL_CERT_FILE).
_PASSED = re.compile(
    r"(PATH|HOME|LANG|TMPDIR|SSL_CERT_(FILE|DIR)|(?i:https?_proxy|no_proxy)|AWS_(?!CA_BUNDLE)\w+|RCLONE_(CONFIG_\w+|S3_\w+|"
    r"BWLIMIT|TRANSFERS|CHECKERS|TPSLIMIT|TPSLIMIT_BURST|TIMEOUT|CONTIMEOUT|BIND|CA_CERT|CLIENT_CERT|CLIENT_KEY))\Z"
)
_OPEN = re.compile(r"(AWS_(DEFAULT_)?REGION|RCLONE_CONFIG_\w+_(TYPE|PROVIDER|REGION|ENDPOINT|ACL|ENV_AUTH))\Z")
_TUNING = {"transfers": "8", "checkers": "16", "timeout": "60s", "contimeout": "15s"}
_ALWAYS = ("--config", "", "--use-json-log", "--log-level", "ERROR", "--retries", "1", "--low-level-retries", "3")

_REASONS: Final = (
    (r"didn't find section in config", "is not configured: set RCLONE_CONFIG_{remote}_TYPE and its fellows."),
    (r"(?i)no space left|QuotaExceeded|insufficient storage", "is full. Make room; it goes on where it stopped."),
    (r"NoSuchBucket|bucket does not exist", "has no such bucket. Make it, or correct the address."),
    (
        r"InvalidObjectState|storage class",
        "keeps these files in a class that has to be restored first. Restore them with the provider's tools.",
    ),
    (
        r"(?i)AccessDenied|Forbidden|status code: 40[13]|InvalidAccessKeyId|InvalidClientTokenId|SignatureDoesNotMatch|"
        r"InvalidToken|ExpiredToken|NoCredentialProviders|permission denied",
        "does not let us in: look at RCLONE_CONFIG_{remote}_ACCESS_KEY_ID, RCLONE_CONFIG_{remote}_SECRET_ACCESS_KEY "
        "and at what the bucket's policy allows.",
    ),
    (
        r"(?i)RequestError|dial tcp|no such host|connection re(fused|set)|i/o timeout|deadline exceeded|tls: |x509|"
        r"network is unreachable|unexpected EOF|status code: 5\d\d",
        "does not answer. Look at the network and at RCLONE_CONFIG_{remote}_ENDPOINT; it goes on where it stopped.",
    ),
)


class Complaint(NamedTuple):
    """What rclone says of a file, or of all (then without a name)."""

    name: str
    says: str


class Done(NamedTuple):
    """How a run ended: its exit code, what it wrote, and what it complained about."""

    code: int
    out: str
    complaints: tuple[Complaint, ...]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a run of rclone gets."""
    return {name: value for name, value in given.items() if _PASSED.match(name)}


def run(words: Sequence[str], address: str, beat: Beat, *, size: int = 0) -> Done:
    """Runs rclone to its end, calling `beat` about once a second; it dies with us, and where `beat` raises.

    `size` is how many bytes it has to move; what takes far too long for them is given up.
    Raises Unreachable where there is no rclone or it takes too long.
    """
    passed = environment(os.environ)
    tuning = [f"--{name}={value}" for name, value in _TUNING.items() if f"RCLONE_{name.upper()}" not in passed]
    leash = [found, "--pdeathsig", "KILL"] if (found := shutil.which("setpriv")) else []
    until = time.monotonic() + PATIENCE + size / SLOWEST
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        if not (program := shutil.which(PROGRAM, path=passed.get("PATH"))):
            raise Unreachable(
                f"The storage {address} is reached through rclone, which is not installed here: apt-get install rclone."
            )
        command = [*leash, program, *_ALWAYS, *tuning, *words]
        # Names and paths are checked where they are set; no shell reads them.
        child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=said, env=passed
        )
        try:
            while (code := _ended(child)) is None:
                beat()
                if time.monotonic() > until:
                    raise Unreachable(f"The storage {address} is too slow; it goes on where it stopped.")
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        out.seek(0)
        return Done(code, out.read().decode("utf-8", "replace"), tuple(_complaints(said)))


def _ended(child: subprocess.Popen[bytes]) -> int | None:
    try:
        return child.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return None


def _complaints(said: IO[bytes]) -> list[Complaint]:
    """The lines of its log; the last words before it gives up are plain text over several lines."""
    said.seek(0)
    found, plain = [], []
    for line in said.read(MOST_SAID).decode("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
            found.append(Complaint(str(entry.get("object", "")), str(entry["msg"])))
        except (ValueError, KeyError, TypeError, AttributeError):
            plain.append(line)
    return [*found, Complaint("", " ".join(plain))] if plain else found


def understood(done: Done, address: str) -> Unreachable | None:
    """What is wrong with the storage as a whole and what to do, where what a run said tells it."""
    remote = address.split(":")[1].upper()
    everything = "\n".join(complaint.says for complaint in done.complaints)
    for pattern, says in _REASONS:
        if re.search(pattern, everything):
            return Unreachable(f"The storage {address} {says.format(remote=remote)}")
    return None


def failed(done: Done, address: str) -> Unreachable:
    """Why a run failed, in rclone's own words where we know none."""
    first = done.complaints[0].says if done.complaints else f"rclone ended with {done.code} and said nothing"
    return understood(done, address) or Unreachable(f"The storage {address} cannot be used: {hushed(first)}")


def hushed(text: str) -> str:
    """What rclone said, cut short and without the values of those variables that may hold credentials."""
    hidden = [v for name, v in os.environ.items() if re.match(r"(AWS|RCLONE)_", name) and not _OPEN.match(name)]
    for value in sorted((value for value in hidden if len(value) > 3), key=len, reverse=True):
        text = text.replace(value, "…")
    return text[:300]
