"""Manifests of files and checksums in every dialect that ships and archives send: read, written, compared.
Pure: bytes in, entries out; nothing here knows the database or the clock."""

from inventory.manifests.choosing import find
from inventory.manifests.compare import WORDS, Comparison, Item, compare
from inventory.manifests.entry import DIGITS, Entry, ManifestRefused, unique
from inventory.manifests.reading import DIALECTS, Manifest, read
from inventory.manifests.writing import OF_HASHDEEP, write_dfxml, write_hashdeep, write_md5deep

__all__ = [
    "DIALECTS",
    "DIGITS",
    "OF_HASHDEEP",
    "WORDS",
    "Comparison",
    "Entry",
    "Item",
    "Manifest",
    "ManifestRefused",
    "compare",
    "find",
    "read",
    "unique",
    "write_dfxml",
    "write_hashdeep",
    "write_md5deep",
]
