"""Deliveries on their way in: asked for by people, and received by the worker.

Rooms: `asking` (the verbs), `receiving` (the door behind which one is received).
"""

from inventory.arrivals.asking import ask, leave_out, look_again, receive_now
from inventory.arrivals.receiving import DOOR, run, waiting

__all__ = ["DOOR", "ask", "leave_out", "look_again", "receive_now", "run", "waiting"]
