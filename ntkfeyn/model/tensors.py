"""Tensors by name: the table of theory section 2, and the id NAME@R by which artefacts refer to one at an order."""

from __future__ import annotations

from typing import NamedTuple


class NamedTensor(NamedTuple):
    """A row of the table of theory section 2; ``order`` lists the slot labels in the order of the paper's indices."""

    name: str
    legs: str
    channel: str
    order: str


NAMED_TENSORS = (
    NamedTensor("K", "z1 z2", "12", "12"),
    NamedTensor("Theta", "NTK12", "12", "12"),
    NamedTensor("V", "z1 z2 z3 z4", "12.34", "1234"),
    NamedTensor("D", "z1 z2 NTK34", "12.34", "1234"),
    NamedTensor("F", "z1 z2 NTK34", "13.24", "1324"),
    NamedTensor("A", "NTK12 NTK34", "12.34", "1234"),
    NamedTensor("B", "NTK12 NTK34", "13.24", "1324"),
    NamedTensor("P", "dNTK012 z3", "03.12", "0123"),
    NamedTensor("Q", "dNTK012 z3", "01.23", "0123"),
    NamedTensor("R", "ddNTK1(0,1,2,3)", "01.23", "0123"),
    NamedTensor("S", "ddNTK2(1,2,3,4)", "12.34", "1234"),
    NamedTensor("T", "ddNTK2(1,2,3,4)", "13.24", "1324"),
    NamedTensor("U", "ddNTK2(1,2,3,4)", "14.23", "1423"),
)
NAMES = tuple(row.name for row in NAMED_TENSORS)


class TensorId(NamedTuple):
    """A class of cumulants and an absolute power of 1/n; as text NAME@R."""

    name: str
    order: int

    def __str__(self) -> str:
        return f"{self.name}@{self.order}"

    def by_order(self) -> tuple[int, str]:
        """A key to sort by: orders of 1/n first."""
        return (self.order, self.name)


MEAN_KERNEL = TensorId("K", 0)
MEAN_NTK = TensorId("Theta", 0)
