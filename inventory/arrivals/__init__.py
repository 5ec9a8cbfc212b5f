"""Deliveries on their way in: asked for by people or seen in the drop folder, and received by the worker.

Rooms: `asking` (the verbs), `receiving` (the door behind which one is received), `uploads` (what comes by browser), and
of the drop folder `watching` (the door behind which it is looked at), `layout` (what lies there), `looking` (one look).
"""

from inventory.arrivals.asking import ask, leave_out, look_again, receive_now
from inventory.arrivals.receiving import DOOR, run, waiting

__all__ = ["DOOR", "ask", "leave_out", "look_again", "receive_now", "run", "waiting"]
