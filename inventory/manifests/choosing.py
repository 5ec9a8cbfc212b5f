"""Which file in the root of a distribution is its manifest: operators name it as their tool or habit does.
Only names are looked at; whether it can be read, `read` says."""

import re
from collections.abc import Iterable
from typing import Final

# In this order, whatever the case: what says most of each file first, a loose match last.
PATTERNS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"md5deep.*\.(txt|xml|csv|lst|list)|md5deep[^.]*",  # md5deep.txt, md5deep_NBP1406.txt
        r"hashdeep.*|.*\.hashdeep",  # hashdeep.txt, hashdeep-1.0.list, and as we name our own exports
        r"MD5_Summary\.txt",  # OpenVDM; MD5_Summary.md5 beside it is only the hash of this list
        r"manifest-(md5|sha1|sha256|sha512)\.txt",  # the root is a bag
        r"(MD5|SHA1|SHA224|SHA256|SHA384|SHA512)SUMS?(\.txt)?",
        r".*\.(md5|sha1|sha256|sha384|sha512|md5sum|sha1sum|sha256sum|sha512sum|dfxml)",  # NBP1406.md5
        r".*SubmissionManifest.*\.xml",  # NCEI
        r".*(md5|sha1|sha256|sha512|checksum)[^/]*\.(txt|csv|xml|lst|list)",
    )
)


def find(names: Iterable[str]) -> str | None:
    """The name of the manifest among the names of the files in the root, or None.

    The order is that of PATTERNS. A file that carries another file's whole name and an ending, as
    `cast1.tar.gz.md5`, is the checksum of that one file and not of the distribution. Among equals the
    shortest name wins, then the first in alphabetical order.
    """
    all_names = {name for name in names if "/" not in name}
    candidates = [name for name in all_names if not _belongs_to_one_file(name, all_names)]
    for pattern in PATTERNS:
        fitting = [name for name in candidates if pattern.fullmatch(name)]
        if fitting:
            return min(fitting, key=lambda name: (len(name), name))
    return None


def _belongs_to_one_file(name: str, names: set[str]) -> bool:
    stem = name.rpartition(".")[0]
    return stem in names or (name.casefold() == "md5_summary.md5" and len(names) > 1)
