"""When and where the files of a data set were measured, read from the files themselves. Pure.

Rooms: `reading` (an open file, and what a reader says of it), one reader for each format, `readers` (which reader
takes a file), `shape` (what is kept of a reading: a period, and a line of few points).
"""
