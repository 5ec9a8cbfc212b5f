"""Verification: every delivered file is read once, and what was found is compared with what the manifest says.

Rooms: `reading` (threads that read files; no database), `chunks` (who reads what), `outcomes` (what becomes of a
file, and of the distribution when all are read), `verify` (the work of one worker), `standing` (how far it is).
"""

from inventory.verification.standing import DOOR, Standing, standing
from inventory.verification.verify import reread, run, seats, waiting

__all__ = ["DOOR", "Standing", "reread", "run", "seats", "standing", "waiting"]
