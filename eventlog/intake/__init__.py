"""Taking in log files of other programs: nothing is lost, nothing is doubled, and every row is accounted for."""

from eventlog.intake.comparing import Prepared, prepared
from eventlog.intake.reading import NeedsMapping, mapping_of, proposed, read
from eventlog.intake.report import RESULTS, Report, RowReport, report_of
from eventlog.intake.templates import templates_from_import
from eventlog.intake.undoing import undo_import
from eventlog.intake.verbs import DIFFERING, import_events

__all__ = [
    "DIFFERING",
    "RESULTS",
    "NeedsMapping",
    "Prepared",
    "Report",
    "RowReport",
    "import_events",
    "mapping_of",
    "prepared",
    "proposed",
    "read",
    "report_of",
    "templates_from_import",
    "undo_import",
]
