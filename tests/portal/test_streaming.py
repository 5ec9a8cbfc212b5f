"""Long lists go out in blocks, whole and in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asgiref.sync import async_to_sync

from portal import streaming


def sent(parts: Iterator[bytes | str]) -> list[bytes]:
    async def gather() -> list[bytes]:
        return [block async for block in streaming._one_by_one(parts)]

    return async_to_sync(gather)()


@pytest.mark.parametrize("lines", [0, 1, 100_000])
def test_lines_are_gathered_into_blocks(lines):
    blocks = sent(f"line {number} é\n" for number in range(lines))
    assert b"".join(blocks).decode() == "".join(f"line {number} é\n" for number in range(lines))
    assert all(len(block) >= streaming.FULL for block in blocks[:-1])
    assert len(blocks) <= lines * 20 // streaming.FULL + 1


def test_an_empty_part_is_not_the_end():
    assert b"".join(sent(iter([b"a", b"", "", b"b"]))) == b"ab"


def test_what_was_made_before_a_fault_is_no_reason_to_hide_it():
    def parts() -> Iterator[bytes]:
        yield b"a" * streaming.FULL
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk is gone"):
        sent(parts())
