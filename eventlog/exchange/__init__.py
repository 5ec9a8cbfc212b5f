"""Event logs that come from, or go to, other programs: one record, and one room for each format.
Pure: nothing here knows of the database, the clock or the settings."""
