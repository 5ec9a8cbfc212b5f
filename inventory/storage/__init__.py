"""Deep storage: every verified distribution is copied, the copies are read again, and people get files back.

Rooms: `names` (how files are named there), `backend` (what a storage can do), `local` and `crew` (a directory as
storage), `rclone` and `child` (S3 and others, through a program of its own), `places` (which storage), `papers` (the
lists that lie beside the copies), and the verbs: `depositing`, `fixity`, `repairing`,
`migrating` (into the permanent archive), `recovering`.
"""

from inventory.storage.depositing import DOOR as STORE_DOOR
from inventory.storage.depositing import store
from inventory.storage.fixity import DOOR as FIXITY_DOOR
from inventory.storage.fixity import check_fixity
from inventory.storage.migrating import DOOR as MIGRATE_DOOR
from inventory.storage.migrating import ask_migrate, migrate
from inventory.storage.recovering import DOOR as RECOVER_DOOR
from inventory.storage.recovering import deliver, expire, grant, refuse, request_recovery
from inventory.storage.repairing import DOOR as REPAIR_DOOR
from inventory.storage.repairing import ask_repair, repair

__all__ = [
    "FIXITY_DOOR",
    "MIGRATE_DOOR",
    "RECOVER_DOOR",
    "REPAIR_DOOR",
    "STORE_DOOR",
    "ask_migrate",
    "ask_repair",
    "check_fixity",
    "deliver",
    "expire",
    "grant",
    "migrate",
    "refuse",
    "repair",
    "request_recovery",
    "store",
]
