"""Where was the ship? Feeds, their fixes, and the positions that follow from them."""
