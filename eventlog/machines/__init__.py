"""State machines of operations: which action leads from where to where, for each kind of work at sea. Pure."""

from eventlog.machines.casts import next_cast
from eventlog.machines.course import Course, Moment, choose
from eventlog.machines.kinds import BUTTONS, MACHINES, OTHER_BUTTONS, Machine, Step
from eventlog.machines.words import Reading, class_of, key, read

__all__ = [
    "BUTTONS",
    "MACHINES",
    "OTHER_BUTTONS",
    "Course",
    "Machine",
    "Moment",
    "Reading",
    "Step",
    "choose",
    "class_of",
    "key",
    "next_cast",
    "read",
]
