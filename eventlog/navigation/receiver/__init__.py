"""Listens to the feeds of this database: UDP, TCP and growing files, in one process."""
