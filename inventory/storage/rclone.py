"""A storage that rclone reaches: S3 and what speaks like it, and whatever else rclone knows.

The files of a turn are opened here, with no link followed, and lent to rclone under their names in the storage; what
arrived is compared with the inventory by the MD5 that the storage tells, or is read back where it tells none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from inventory import paths, scan
from inventory.storage import child, crew
from inventory.storage.backend import MARKED, MARKER, Beat, Outcome, Piece, Unreachable
from inventory.storage.local import BLOCK, CHANGED, FULL, PARTIAL, compare, digest_of, missing
from portal.refusals import NotNow

ROUNDS: Final = 2
FETCH: Final = ("copy", "--no-check-dest", "--ignore-checksum")  # what came is compared here
GONE: Final = "is not there"
_SUM = re.compile(r"([0-9a-f]{64})  (.+)\Z")


class Arrived(NamedTuple):
    """What lies under a name in the storage: bytes, and the MD5 where the storage tells it."""

    size: int
    md5: str


class Rclone:
    """What lies below a path of a remote. Addresses are rclone:REMOTE:PATH, as in LEADLINE_DEEP_STORAGE."""

    def __init__(self, remote: str, path: str, address: str) -> None:
        self.remote, self.path, self.address = remote, path.rstrip("/") or "/", address

    def ready(self, *, used: bool) -> None:
        if self._look("", [MARKER], _nothing):
            return
        if used:
            raise Unreachable(
                f"The storage {self.address} is not there, or is not the one that was used before ({MARKER} is "
                f"missing). Look at the bucket and at RCLONE_CONFIG_{self.remote.upper()}_ENDPOINT."
            )
        with tempfile.NamedTemporaryFile(prefix="leadline-") as marker:
            marker.write(MARKED)
            marker.flush()
            self.write(MARKER, Path(marker.name), _nothing)

    def put(self, root: Path, prefix: str, pieces: Sequence[Piece], beat: Beat, *, resumed: bool) -> Iterator[Outcome]:
        for turn in _turns(pieces):
            yield from self._put(root, f"{prefix}/", turn, beat, resumed=resumed)

    def _put(self, root: Path, below: str, turn: Sequence[Piece], beat: Beat, *, resumed: bool) -> Iterator[Outcome]:
        kept = self._right(below, turn, beat) if resumed else set()
        yield from (Outcome(piece) for piece in turn if piece.name in kept)
        lent: dict[str, int] = {}
        sent: list[Piece] = []
        try:
            for piece in turn:
                if piece.name in kept:
                    continue
                try:
                    file = scan.open_inside(root, piece.path)
                except OSError as error:
                    if not scan.there(root):
                        raise scan.RootGone(str(root)) from error
                    yield Outcome(piece, f"cannot be read: {error.strerror or error}")
                    continue
                lent[piece.name] = file
                if (size := os.fstat(file).st_size) != piece.size:
                    yield Outcome(piece, f"{CHANGED}: it has {size:,} bytes, and had {piece.size:,}")
                else:
                    sent.append(piece)
            yield from self._send(below, sent, lent, beat)
        finally:
            for file in lent.values():
                os.close(file)

    def _send(self, below: str, pieces: list[Piece], lent: Mapping[str, int], beat: Beat) -> Iterator[Outcome]:
        """Sends open files and compares what arrived; where that is wrong, the file itself is asked whether it is."""
        left, done = pieces, child.Done(0, "", ())
        for _ in range(ROUNDS):
            if not left:
                return
            done = self._copy_there(below, {piece.name: lent[piece.name] for piece in left}, left, beat)
            right = self._right(below, left, beat)
            yield from (Outcome(piece) for piece in left if piece.name in right)
            left = [piece for piece in left if piece.name not in right]
            changed = {piece.name: why for piece in left if (why := _changed(piece, lent[piece.name], beat))}
            if changed:
                self._run(["delete"], below, changed, beat)
            yield from (Outcome(piece, changed[piece.name]) for piece in left if piece.name in changed)
            left = [piece for piece in left if piece.name not in changed]
        if left:
            raise child.failed(done, self.address)

    def _copy_there(self, below: str, lent: Mapping[str, int], pieces: list[Piece], beat: Beat) -> child.Done:
        """Runs rclone on a folder of links to files that are open here."""
        with tempfile.TemporaryDirectory(prefix="leadline-rclone-") as folder:
            for name, file in lent.items():
                link = Path(folder, "lent", name)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(f"/proc/{os.getpid()}/fd/{file}")
            words = ["copy", "--copy-links", "--no-check-dest", "--s3-no-check-bucket", str(Path(folder, "lent"))]
            return self._run(words, below, lent, beat, size=sum(piece.size for piece in pieces))

    def get(self, prefix: str, pieces: Sequence[Piece], root: Path, beat: Beat) -> Iterator[Outcome]:
        """Into a hidden folder beside `root`, each compared there and given its name and time."""
        draft = root.with_name(PARTIAL + root.name)
        whys: dict[str, str] = {}

        def bring(piece: Piece, go_on: Callable[[], None]) -> Outcome:
            try:
                fault = compare(piece, *digest_of(draft, piece.name, go_on))
            except OSError as error:
                return Outcome(piece, whys.get(piece.name) or missing(error))
            if not fault:
                _settle(draft / piece.name, root / os.fsdecode(paths.to_bytes(paths.inside(piece.path))), piece)
            return Outcome(piece, fault)

        try:
            for turn in _turns(pieces):
                with suppress(FileNotFoundError):
                    shutil.rmtree(draft)
                names, size = [piece.name for piece in turn], sum(piece.size for piece in turn)
                done = self._run(FETCH, f"{prefix}/", names, beat, size=size, to=draft)
                if any("no space left" in complaint.says for complaint in done.complaints):
                    raise NotNow(f"The directory {root} is full. Make room; it goes on where it stopped.")
                whys = self._lacking(done, f"{prefix}/", [n for n in names if not (draft / n).exists()], beat)
                yield from crew.each(turn, bring, beat)
        except OSError as error:
            why = "is full" if error.errno in FULL else f"cannot be written: {error.strerror or error}"
            raise NotNow(f"The directory {root} {why}. Make room; it goes on where it stopped.") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def check(self, prefix: str, pieces: Sequence[Piece], beat: Beat) -> Iterator[Outcome]:
        for turn in _turns(pieces):
            found, whys = self._sums(f"{prefix}/", turn, beat)
            for piece in turn:
                sha256 = found.get(piece.name)
                yield Outcome(piece, compare(piece, piece.size, sha256) if sha256 else whys[piece.name])

    def _sums(self, below: str, turn: Sequence[Piece], beat: Beat) -> tuple[dict[str, str], dict[str, str]]:
        """SHA-256 of what lies under names, read from the first byte to the last; and why the others have none."""
        names, size = [piece.name for piece in turn], sum(piece.size for piece in turn)
        done = self._run(("hashsum", "SHA-256", "--download"), below, names, beat, size=size)
        found = {line[2]: line[1] for text in done.out.splitlines() if (line := _SUM.match(text))}
        return found, self._lacking(done, below, [name for name in names if name not in found], beat)

    def _lacking(self, done: child.Done, below: str, names: Sequence[str], beat: Beat) -> dict[str, str]:
        """Why a run brought nothing under these names. Raises Unreachable where that is the storage's fault."""
        there = self._look(below, names, beat) if names and done.code else {}
        if there and (reason := child.understood(done, self.address)):
            raise reason
        said = {complaint.name: complaint.says for complaint in done.complaints}
        if there and not set(there) & set(said):
            raise child.failed(done, self.address)
        return {
            name: f"cannot be read: {child.hushed(said.get(name, ''))}" if name in there else GONE for name in names
        }

    def write(self, name: str, paper: Path, beat: Beat) -> None:
        with paper.open("rb") as file:
            md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
            while block := file.read(BLOCK):
                md5.update(block)
                sha256.update(block)
                beat()
            piece = Piece(0, name, name, file.tell(), md5.hexdigest(), sha256.hexdigest(), None)
            for outcome in self._send("", [piece], {name: file.fileno()}, beat):
                if outcome.fault:
                    raise Unreachable(f"{name} was changed while it was written to {self.address}.")

    def fetch(self, name: str, to: Path, beat: Beat) -> bool:
        found = self._look("", [name], beat)
        if name not in found:
            return False
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=to.parent) as folder:
            done = self._run(FETCH, "", [name], beat, size=found[name].size, to=Path(folder))
            if not Path(folder, name).exists():
                raise child.failed(done, self.address)
            os.link(Path(folder, name), to)
        return True

    def digest(self, name: str, beat: Beat) -> str:
        size = self._look("", [name], beat).get(name, Arrived(0, "")).size
        return self._sums("", [Piece(0, name, name, size, "", "", None)], beat)[0].get(name, "")

    def _right(self, below: str, pieces: Sequence[Piece], beat: Beat) -> set[str]:
        """The names under which there is what these pieces are."""
        found = self._look(below, [piece.name for piece in pieces], beat)
        same = [piece for piece in pieces if piece.name in found and found[piece.name].size == piece.size]
        told = {piece.name for piece in same if piece.md5 and found[piece.name].md5 == piece.md5}
        untold = [piece for piece in same if not (piece.md5 and found[piece.name].md5)]
        sums = self._sums(below, untold, beat)[0] if untold else {}
        return told | {piece.name for piece in untold if sums.get(piece.name) == piece.sha256}

    def _look(self, below: str, names: Sequence[str], beat: Beat) -> dict[str, Arrived]:
        """What lies under these names; what is not there lacks. Raises Unreachable."""
        words = ["lsjson", "-R", "--files-only", "--hash", "--hash-type", "MD5", "--no-modtime", "--no-mimetype"]
        done = self._run(words, below, names, beat)
        if done.code:
            if done.code == 3:  # rclone's number for a directory that is not there: so none of them is
                return {}
            raise child.failed(done, self.address)
        listed = json.loads(done.out or "[]")
        return {one["Path"]: Arrived(int(one["Size"]), one.get("Hashes", {}).get("md5", "")) for one in listed}

    def _run(
        self,
        words: Sequence[str],
        below: str,
        names: Iterable[str],
        beat: Beat,
        *,
        size: int = 0,
        to: Path | None = None,
    ) -> child.Done:
        """Says `words` about these names below a path of ours."""
        place = f"{self.remote}:{self.path.rstrip('/')}/{below}".rstrip("/")
        with tempfile.NamedTemporaryFile("w", prefix="leadline-", encoding="ascii") as listed:
            listed.writelines(f"{name}\n" for name in names)
            listed.flush()
            chosen = ["--files-from-raw", listed.name, "--no-traverse", place]
            return child.run([*words, *chosen, *([str(to)] if to else [])], self.address, beat, size=size)


def _nothing() -> None:
    """The beat of what takes a moment."""


def _turns(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """No more at a time than may be open at once."""
    most = max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2, 16)
    for start in range(0, len(pieces), most):
        yield pieces[start : start + most]


def _changed(piece: Piece, file: int, beat: Beat) -> str:
    """Why an open file is not the piece; nothing where it is."""
    digest, size = hashlib.sha256(), 0
    try:
        while block := os.pread(file, BLOCK, size):
            digest.update(block)
            size += len(block)
            beat()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return compare(piece, size, digest.hexdigest(), CHANGED)


def _settle(draft: Path, place: Path, piece: Piece) -> None:
    """Gives a file that was brought its time and its name."""
    if piece.changed_at is not None:
        moment = piece.changed_at.timestamp()
        os.utime(draft, (moment, moment))
    draft.chmod(0o644)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    place.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(place)
