"""What a manifest says of one file, and the refusal of a manifest that cannot be trusted.
Every dialect ends here: one `Entry` per file, hashes in lower case, times in UTC, paths inside the root."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple

from inventory.paths import PathRefused, display, inside, to_text

LARGEST: Final = 2**63 - 1  # bytes; what a file system and a database column can count

# Digits of a hash -> its name. A list of 128-digit hashes is taken as SHA-512: whirlpool is as long, but only
# `whirlpooldeep` makes bare lists of it, and those can be read by naming the columns (hashdeep -c whirlpool).
BY_DIGITS: Final = {
    32: "md5",
    40: "sha1",
    48: "tiger",
    56: "sha224",
    64: "sha256",
    96: "sha384",
    128: "sha512",
}
DIGITS: Final = {name: digits for digits, name in BY_DIGITS.items()} | {"whirlpool": 128}


class Entry(NamedTuple):
    """One file of a manifest, as delivered.

    `path` is the text form of inventory.paths, relative and normal; `size` in bytes; `changed_at` in UTC;
    `hashes` maps the algorithm ("md5", "sha256", …) to lower-case hexadecimal digits and is empty where the
    tool did not hash the file; `line` is the line of the manifest, from 1, where the entry begins.
    """

    path: str
    size: int | None
    changed_at: datetime | None
    hashes: dict[str, str]
    line: int


class ManifestRefused(ValueError):
    """A line of a manifest that cannot be read; `reason` is a sentence: what is wrong, what to do."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason}")
        self.line = line
        self.reason = reason


Problem = Callable[[ManifestRefused], None]


def complain(on_problem: Problem | None, line: int, reason: str) -> None:
    """Tell the collector of problems, or raise ManifestRefused when there is none."""
    refusal = ManifestRefused(line, reason)
    if on_problem is None:
        raise refusal
    on_problem(refusal)


class Root:
    """Turns the path as written in a manifest into the path inside the distribution.

    `root` is the folder that the tool was pointed at, as it appears before each path ("/data/NBP1406",
    "D:\\\\NBP1406", "../NBP1406"); without it every path must be relative.
    """

    def __init__(self, root: str | None, *, backslashes: bool) -> None:
        self.backslashes = backslashes
        self.fold = backslashes  # Windows does not tell upper from lower case in a drive or folder name
        self.root: str | None = None
        if root is not None:
            written = root.replace("\\", "/") if backslashes else root
            self.root = written.rstrip("/") + "/"
        self.absolute = self.root is not None and (self.root.startswith("/") or self.root[1:3] == ":/")

    def path(self, raw: bytes) -> str:
        """The normal relative path; raises PathRefused when it is outside the root or impossible."""
        text = to_text(raw)
        if self.root is None:
            return inside(text, backslashes=self.backslashes)
        written = text.replace("\\", "/") if self.backslashes else text
        start = written[: len(self.root)]
        if start == self.root or (self.fold and start.casefold() == self.root.casefold()):
            return inside(written[len(self.root) :])
        if not self.absolute or written.startswith("/") or written[1:3] == ":/":
            raise PathRefused(
                f"{display(text)} is outside the root {display(self.root)}; "
                "name the folder that the list was made of, or make the list again with relative paths (-l)."
            )
        return inside(written)


def unique(entries: Iterable[Entry], *, on_problem: Problem | None = None) -> Iterator[Entry]:
    """The entries without repetitions: the same path with the same hashes is passed on once.

    The same path with other hashes is refused (ManifestRefused, or `on_problem` and the first one stands).
    Memory: about 150 bytes per path, whatever its length, because only digests are kept (16 bytes of BLAKE2:
    among 200 million paths a chance meeting has a probability near 1e-22).
    """
    seen: dict[bytes, int] = {}
    for entry in entries:
        key = blake2b(entry.path.encode(), digest_size=16).digest()
        said = blake2b(repr(sorted(entry.hashes.items())).encode(), digest_size=7).digest()
        now = int.from_bytes(said, "big")
        before = seen.get(key)
        if before is None:
            seen[key] = now
            yield entry
        elif before != now:
            complain(
                on_problem,
                entry.line,
                f"{display(entry.path)} is listed a second time with another hash; "
                "find out which one is right, or make the list again.",
            )
