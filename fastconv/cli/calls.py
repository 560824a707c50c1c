"""How often replaced functions were called, and how long they took."""

import threading
from typing import TypedDict

NOT_SEEN = (
    "not seen: other processes, and what does not go through these functions "
    "(scipy.ndimage, lfilter)"
)


class Count(TypedDict):
    taken_over: int
    handed_back: int
    seconds: float


class Calls:
    """
    A watch for `fastconv.patched`.

    Each thread counts for itself: calls are too short to share a lock, and a child
    that is forked while another thread holds it would wait forever.
    """

    def __init__(self) -> None:
        self._here = threading.local()
        self._all: list[dict[str, Count]] = []

    def __call__(self, name: str, taken_over: bool, seconds: float) -> None:
        try:
            mine: dict[str, Count] = self._here.counts
        except AttributeError:
            mine = self._here.counts = {}
            self._all.append(mine)
        count = mine.get(name)
        if count is None:
            count = mine[name] = Count(taken_over=0, handed_back=0, seconds=0.0)
        count["taken_over" if taken_over else "handed_back"] += 1
        count["seconds"] += seconds

    def as_dict(self) -> dict[str, Count]:
        """By function, those first that took longest."""
        total: dict[str, Count] = {}
        for thread in self._all:
            for name, count in thread.copy().items():
                sum_ = total.setdefault(name, Count(taken_over=0, handed_back=0, seconds=0.0))
                sum_["taken_over"] += count["taken_over"]
                sum_["handed_back"] += count["handed_back"]
                sum_["seconds"] += count["seconds"]
        return dict(sorted(total.items(), key=lambda item: -item[1]["seconds"]))

    def report(self) -> str:
        counts = self.as_dict()
        if not counts:
            return f"fastconv: no call of a replaced function was seen\n{NOT_SEEN}"
        lines = [f"{'fastconv':34}{'taken over':>12}{'handed back':>13}{'seconds':>11}"]
        for name, count in counts.items():
            taken, back = count["taken_over"], count["handed_back"]
            lines.append(f"{name:34}{taken:12,}{back:13,}{count['seconds']:11.4f}")
        return "\n".join([*lines, NOT_SEEN])
