"""From raw navigation files to a clean track: read, flag, products, control points, extent.
Pure: bytes and arrays in, arrays and text out; nothing here knows the database, the clock or the settings."""
