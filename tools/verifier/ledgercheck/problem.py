"""What is wrong, where, in both languages; and how to show text that somebody else wrote."""


class Problem(Exception):
    """Evidence that does not prove what it says."""

    def __init__(self, english, chinese):
        super().__init__(english)
        self.english = english
        self.chinese = chinese

    def within(self, english, chinese=None):
        """The same problem with the place in front: a file, a line."""
        return type(self)(f"{english}: {self.english}", f"{chinese or english}：{self.chinese}")


class Unusable(Problem):
    """Nothing is wrong, but what is needed to judge was not given, or cannot be read."""


def shown(value, limit=120):
    """A foreign value for a message: short, in one line, without control characters."""
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= limit else text[:limit] + "…"
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text) + '"'


def many(n, one, more):
    return f"{n} {one if n == 1 else more}"


def within(place, check, *arguments):
    """Calls check; what it finds wrong is said to be in place."""
    try:
        return check(*arguments)
    except Problem as p:
        raise p.within(place) from None
