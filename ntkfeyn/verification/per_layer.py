"""Widths and activations of a setting, one a layer: as many as are read, and of those that a user gives no more."""

from ntkfeyn.errors import bad_request
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.ensembles import ORTHOGONAL

WIDTHS = "--width 2:3:5 --layers 2,3,4"
MOST = 20  # widths that a message shows
ACTIVATIONS = '--activation "z + z**2/2:z - z**3/6" --layers 2,3'


def check_enough(last: int, setting: Setting) -> None:
    """Raises RequestError for fewer widths or activations than are read up to layer ``last``."""
    if setting.widths and len(setting.widths) < last - 1:
        raise bad_request(
            f"widths {_text(setting)} were given for layer {last}",
            f"one a layer below the last is needed, {last - 1} here",
            WIDTHS,
        )
    if 1 < len(setting.activations) < last - 1:
        raise bad_request(
            f"{len(setting.activations)} activations were given for layer {last}",
            f"one, or one a layer below the last, is needed, {last - 1} here",
            ACTIVATIONS,
        )


def check_surplus(last: int, setting: Setting) -> None:
    """Raises RequestError for more of them. Orthogonal weights read the width of the last layer as well (tau)."""
    read = {last - 1, last} if setting.weights == ORTHOGONAL and last > 1 else {last - 1}
    if len(setting.widths) > max(read):
        raise bad_request(
            f"widths {_text(setting)} were given for layer {last}",
            f"one a layer below the last is allowed, {' or '.join(map(str, sorted(read)))} here",
            WIDTHS,
        )
    if len(setting.activations) > max(1, last - 1):
        raise bad_request(
            f"{len(setting.activations)} activations were given for layer {last}",
            f"one, or one a layer below the last, is allowed, {last - 1} here",
            ACTIVATIONS,
        )


def _text(setting: Setting) -> str:
    return ":".join(map(str, setting.widths[:MOST])) + ":.." * (len(setting.widths) > MOST)
