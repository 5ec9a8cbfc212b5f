"""The red pen: marks what cannot be right, or is missing, and offers the fix; while one types, and afterwards."""

from eventlog.redpen.dismissing import dismiss, dismissed, recall
from eventlog.redpen.entering import while_typing
from eventlog.redpen.finding import Finding
from eventlog.redpen.fixing import fix
from eventlog.redpen.looking import finding_of, look, unfinished

__all__ = ["Finding", "dismiss", "dismissed", "finding_of", "fix", "look", "recall", "unfinished", "while_typing"]
