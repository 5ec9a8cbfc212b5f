"""The inventory's tables."""

from inventory.models.coverage import Coverage, Covered
from inventory.models.dataset import Dataset, Hold, Track, TrackProduct
from inventory.models.distribution import Chunk, Distribution, File
from inventory.models.profile import Classification, Profile, Rule
from inventory.models.review import Flag, Remark, Review, Signature

__all__ = [
    "Chunk",
    "Classification",
    "Coverage",
    "Covered",
    "Dataset",
    "Distribution",
    "File",
    "Flag",
    "Hold",
    "Profile",
    "Remark",
    "Review",
    "Rule",
    "Signature",
    "Track",
    "TrackProduct",
]
