"""Exports of a log: `forms` says which there are and for whom, `making` makes one and checks it, `gather` reads the
database for it. The writers are pure and live in `eventlog.exchange.exports`."""
