"""The Operations Report: the cruise record through XSLT, as HTML and as PDF."""
