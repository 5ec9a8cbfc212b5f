"""The event log's API, one room for each subject; the contract is docs/decisions/0004-event-log-at-sea.md."""
