"""Writers of the log's exports and their checks: pure, each from the shapes in `shape` into a file.
A writer never asks for the time, so the same log is the same bytes; a check reads the bytes again."""
