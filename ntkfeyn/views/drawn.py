"""Records with numbers that a figure shows: their files.

Enters: a record that has JSON, a text and a figure. Leaves: the formats that it is saved in.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from ntkfeyn.render.records import Formats, Record, json_of


class DrawnRecord(Record):
    """A record that is saved as data, text or figure."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The document of its schema."""

    @abstractmethod
    def figure(self) -> Any:
        """A matplotlib Figure."""

    def formats(self) -> Formats:
        from ntkfeyn.figures.style import figure_bytes

        return {
            ".json": json_of(self.to_json()),
            ".txt": self.__str__,
            ".pdf": lambda: figure_bytes(self.figure(), "pdf"),
            ".png": lambda: figure_bytes(self.figure(), "png"),
        }
