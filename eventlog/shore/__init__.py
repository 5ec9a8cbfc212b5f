"""Ship and shore: the cruise pack that a ship sails with, and the final copy of the log that it brings back."""

from eventlog.shore.pack import export_cruise, import_cruise
from eventlog.shore.taking import Taken, names, take_final_copy

__all__ = ["Taken", "export_cruise", "import_cruise", "names", "take_final_copy"]
