"""The inventory's tables."""

from inventory.models.area import Area
from inventory.models.arrival import Arrival
from inventory.models.coverage import Coverage, Covered, Footprint
from inventory.models.dataset import Dataset, Hold, Track, TrackProduct
from inventory.models.deposit import Deposit, FixityCheck, Recovery
from inventory.models.distribution import Chunk, Distribution, File
from inventory.models.profile import Classification, Profile, Rule
from inventory.models.review import Flag, Remark, Review, Signature
from inventory.models.totals import Directory, Part, Stretch, Total

__all__ = [
    "Area",
    "Arrival",
    "Chunk",
    "Classification",
    "Coverage",
    "Covered",
    "Dataset",
    "Deposit",
    "Directory",
    "Distribution",
    "File",
    "FixityCheck",
    "Flag",
    "Footprint",
    "Hold",
    "Part",
    "Profile",
    "Recovery",
    "Remark",
    "Review",
    "Rule",
    "Signature",
    "Stretch",
    "Total",
    "Track",
    "TrackProduct",
]
