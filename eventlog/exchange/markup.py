"""Plain text out of the markup in which people wrote: HTML, and the ELCode of ELOG."""

import re
from html.parser import HTMLParser

_LINES = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol", "pre", "blockquote"})
_HIDDEN = frozenset({"script", "style", "head", "title"})
_ELCODE = re.compile(
    r"\[/?(?:b|i|u|s|center|color|size|font|code|quote|list|table|line|img|email|url|youtube|h[1-6]|anchor)(?:=[^\]\n]{0,300})?\]",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[ \t\r\f\v\xa0]+")
_GAPS = re.compile(r"\n{3,}")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self.hidden += 1
        elif tag in _LINES:
            self.parts.append("\n")
        elif tag == "td":
            self.parts.append("\t")
        elif tag == "img" and (named := dict(attrs).get("alt") or dict(attrs).get("src")):
            self.parts.append(f"[{named[:200]}]")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self.hidden:
            self.hidden -= 1
        elif tag in _LINES and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data)


def from_html(text: str) -> str:
    """The words of an HTML text, its blocks and breaks as line breaks; images by their name. Never fails."""
    words = _Words()
    words.feed(text)
    words.close()
    lines = (_BLANKS.sub(" ", line).strip() for line in "".join(words.parts).split("\n"))
    return _GAPS.sub("\n\n", "\n".join(lines)).strip().replace("\0", "\ufffd")


def from_elcode(text: str) -> str:
    """The text without ELCode's tags; what it does not know stays."""
    return _ELCODE.sub("", text)
