"""What ``verify`` returns: a certificate that shows itself.

Enters: ``Certificate``. Leaves: the same record with text, JSON and files.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ntkfeyn.render.records import Formats, Record, html_text, json_of
from ntkfeyn.verification.certificates import certificate_json, certificate_text
from ntkfeyn.verification.certify import Certificate


@dataclass(frozen=True, repr=False)
class ShownCertificate(Certificate, Record):
    """What ``verify`` returns: ``.equal`` is the answer, ``str()`` the text of `ntkfeyn verify`."""

    @classmethod
    def of(cls, found: Certificate) -> ShownCertificate:
        """The same certificate."""
        return cls(**{one.name: getattr(found, one.name) for one in fields(found)})

    def to_json(self) -> dict[str, Any]:
        """After the schema ntkfeyn.certificate/1."""
        return certificate_json(self)

    def formats(self) -> Formats:
        return {".json": json_of(self.to_json()), ".txt": self.__str__}

    def __str__(self) -> str:
        return certificate_text(self)

    def __repr__(self) -> str:
        verdict = "equal" if self.equal else "DIFFERENT"
        return f"<Certificate {self.recursion.name}@{self.recursion.order}: {verdict}>"

    def _repr_html_(self) -> str:
        return html_text(str(self))
