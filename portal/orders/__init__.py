"""Sailing orders: what an operator sends before a cruise, by form, XML file or e-mail.

`document` reads and writes them (pure), `intake` makes cruises of them.
"""
