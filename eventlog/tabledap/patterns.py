"""Regular expressions that cannot run away: a whole text is matched in time that grows with its length alone. Pure.

Thompson's construction (Communications of the ACM 11, 1968, p. 419), with the sets of states remembered. What cannot
be matched so (references back, looking around) is refused, and so is what would need more than 2,000 states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MOST_CHARACTERS, MOST_STATES, MOST_REPEATS, MOST_REMEMBERED, DEEPEST = 200, 2000, 100, 5000, 20
Test = Callable[[str], bool]
SHORT: dict[str, Test] = {
    "d": str.isdigit,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
}
CONTROL = {"n": "\n", "t": "\t", "r": "\r"}


class Unfit(ValueError):
    """The expression is broken, or asks for what is not offered; the text says which."""


@dataclass(slots=True)
class _State:
    """`test` None: it leads on without a character."""

    test: Test | None = None
    to: list[int] = field(default_factory=list)


class Pattern:
    """A compiled expression; `matches` asks about a whole text, as Java's and ERDDAP's do."""

    def __init__(self, text: str) -> None:
        if len(text) > MOST_CHARACTERS:
            raise Unfit(f"it has {len(text)} characters; at most {MOST_CHARACTERS}")
        reader = _Reader(text)
        self._states, start, self._end = reader.states, *reader.whole()
        self._start = self._closed({start})
        self._ignore_case = reader.ignore_case
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        """Whether the whole text is matched. Time grows with its length, and with nothing else."""
        here = self._start
        for character in text.casefold() if self._ignore_case else text:
            step = self._steps.get((here, character))
            if step is None:
                step = self._closed(self._after(here, character))
                if len(self._steps) >= MOST_REMEMBERED:
                    self._steps.clear()
                self._steps[here, character] = step
            here = step
            if not here:
                return False
        return self._end in here

    def _after(self, here: frozenset[int], character: str) -> set[int]:
        found: set[int] = set()
        for number in here:
            state = self._states[number]
            if state.test is not None and state.test(character):
                found.update(state.to)
        return found

    def _closed(self, found: set[int]) -> frozenset[int]:
        waiting, known = list(found), set(found)
        while waiting:
            state = self._states[waiting.pop()]
            if state.test is None:
                fresh = [number for number in state.to if number not in known]
                known.update(fresh)
                waiting += fresh
        return frozenset(known)


class _Reader:
    """Reads an expression into states; every part is a pair of states, where it begins and where it ends."""

    def __init__(self, text: str) -> None:
        self.ignore_case = text.startswith("(?i)")
        self.text = text.removeprefix("(?i)")
        self.at = 0
        self.states: list[_State] = []

    def whole(self) -> tuple[int, int]:
        part = self.choice(0)
        if self.at < len(self.text):
            raise Unfit("a ) closes nothing")
        return part

    def state(self, test: Test | None = None) -> int:
        if len(self.states) >= MOST_STATES:
            raise Unfit("it is too large; repeat less")
        self.states.append(_State(test))
        return len(self.states) - 1

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        character = self.peek()
        if not character:
            raise Unfit("it ends too early")
        self.at += 1
        return character

    def choice(self, depth: int) -> tuple[int, int]:
        if depth > DEEPEST:
            raise Unfit(f"its brackets lie within each other more than {DEEPEST} deep")
        start, end = self.state(), self.state()
        while True:
            first, last = self.row(depth)
            self.states[start].to.append(first)
            self.states[last].to.append(end)
            if self.peek() != "|":
                return start, end
            self.take()

    def row(self, depth: int) -> tuple[int, int]:
        start = here = self.state()
        while self.peek() and self.peek() not in "|)":
            if self.peek() in "^$":
                # The whole text is matched in any case; elsewhere these would match nothing.
                sign, place = self.take(), self.at
                if (sign == "^" and place > 1) or (sign == "$" and self.peek() not in ("", ")", "|")):
                    raise Unfit(f"{sign} stands in the middle; the whole text is matched anyway")
                continue
            begins = self.at
            first, last = self.one(depth)
            least, most = self.times()
            here = self.repeated(here, (first, last), (begins, self.at), least, most, depth)
        return start, here

    def repeated(
        self, here: int, part: tuple[int, int], span: tuple[int, int], least: int, most: int | None, depth: int
    ) -> int:
        """Puts a part behind `here` so often; further ones are read again from the text. Says where they end."""
        first, last = part
        again = span[1]
        copies = 0
        while True:
            copies += 1
            after = self.state()
            self.states[here].to.append(first)
            self.states[last].to.append(after)
            if copies > least:
                self.states[here].to.append(after)
            if most is None and copies >= max(least, 1):
                self.states[last].to.append(first)
            here = after
            if copies >= (max(least, 1) if most is None else max(most, 1)):
                break
            self.at = span[0]
            first, last = self.one(depth)
            self.at = again
        return here

    def times(self) -> tuple[int, int | None]:
        sign = self.peek()
        if not sign or sign not in "*+?{":
            return 1, 1
        self.take()
        found: tuple[int, int | None] = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign, (1, 1))
        if sign == "{":
            found = self.counted()
        if self.peek() == "?":
            self.take()  # whether much or little is taken first changes nothing about a whole text
        if self.peek() and self.peek() in "*+{?":
            raise Unfit("one repetition follows another")
        return found

    def counted(self) -> tuple[int, int | None]:
        inside = ""
        while (character := self.take()) != "}":
            inside += character
        low, comma, high = inside.partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()) or len(inside) > 9:
            raise Unfit(f"{{{inside[:20]}}} is no count")
        least, most = int(low), (int(high) if high else None if comma else int(low))
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least) or most == 0:
            raise Unfit(f"{{{inside}}} is no count from 1 to {MOST_REPEATS}")
        return least, most

    def one(self, depth: int) -> tuple[int, int]:
        character = self.take()
        if character == "(":
            if self.peek() == "?":
                self.take()
                if self.take() != ":":
                    raise Unfit("looking around and named groups are not offered")
            part = self.choice(depth + 1)
            if self.peek() != ")":
                raise Unfit("a ( is not closed")
            self.take()
            return part
        if character in "*+?{":
            raise Unfit(f"{character} repeats nothing")
        first, last = self.state(self.test(character)), self.state()
        self.states[first].to.append(last)
        return first, last

    def test(self, character: str) -> Test:
        if character == ".":
            return lambda c: c not in "\n\r"
        if character == "[":
            return self.set()
        if character == "\\":
            return self.escaped()
        return self.equal(character)

    def equal(self, character: str) -> Test:
        wanted = character.casefold() if self.ignore_case else character
        return lambda c: c == wanted

    def escaped(self) -> Test:
        character = self.take()
        if (test := SHORT.get(character.lower())) is not None:
            return test if character.islower() else lambda c: not test(c)
        if character in CONTROL:
            return self.equal(CONTROL[character])
        if character.isalnum():
            raise Unfit(f"\\{character} is not offered")
        return self.equal(character)

    def set(self) -> Test:
        negated = self.peek() == "^"
        if negated:
            self.take()
        tests: list[Test] = []
        while (character := self.take()) != "]" or not tests:
            if character == "\\":
                tests.append(self.escaped())
            elif self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.take()
                tests.append(self.range(character, self.take()))
            else:
                tests.append(self.equal(character))
        return lambda c: any(test(c) for test in tests) is not negated

    def range(self, low: str, high: str) -> Test:
        if high == "\\" or high < low:
            raise Unfit(f"[{low}-{high}] is no range")
        if self.ignore_case:
            return lambda c: low <= c <= high or low <= c.upper() <= high
        return lambda c: low <= c <= high
