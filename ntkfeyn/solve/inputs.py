"""Inputs of a network: vectors or their Gram matrix, from files or arrays, checked; the kernels that they make.

Enters: a JSON list of vectors, .npy or .csv, or anything array-like. Leaves: a real, finite array; K and Theta.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.model.network import Layer
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId
from ntkfeyn.runtime.files import read_file

Array = NDArray[np.float64]
MAX_INPUTS = 512
MAX_ENTRIES = 10_000_000
MAX_LISTS = 100_000  # or lines: inputs with axes of their own are lists of lists
MAX_BYTES = 1 << 26
EXAMPLE = "x.json with [[1, 0.5], [0.2, 1]]"
HINT = f"--inputs {EXAMPLE}"


def read_array(path: Path) -> Any:
    """What a .json, .npy or .csv file holds; shape and numbers are checked by ``vectors`` and ``gram_matrix``.

    Raises NtkfeynError for a file that cannot be read.
    """
    kind = path.suffix.lower()
    readers = {".npy": _read_npy, ".csv": _read_csv, ".json": _read_json}
    if kind not in readers:
        raise bad_request(f"'{path}' was given", "files .json, .npy and .csv are allowed", EXAMPLE)
    data = read_file(path, MAX_BYTES)
    try:
        return readers[kind](data)
    except (ValueError, RecursionError, MemoryError) as error:
        raise bad_request(
            f"'{path}' does not hold numbers in rows",
            f"a {kind} file of numbers, one vector a row, is allowed",
            EXAMPLE,
        ) from error


def _read_csv(data: bytes) -> Array:
    """Counted before anything is made of it: a number is far larger in memory than in a file."""
    _check_size(data.count(b",") + 1)
    _check_lists(data.count(b"\n") + data.count(b"\r"), "lines")
    lines = [line for line in io.StringIO(data.decode("utf-8-sig"), newline=None) if line.strip()]
    _check_number(len(lines))
    return np.loadtxt(lines, delimiter=",", comments=None, ndmin=2) if lines else np.zeros((0, 0))


def _read_json(data: bytes) -> Any:
    """Counted as well, by the signs that part entries and begin lists."""
    _check_size(data.count(b",") + data.count(b":") + 1)
    _check_lists(data.count(b"[") + data.count(b"{"), "lists")
    found = json.loads(data.decode("utf-8-sig"))
    if not isinstance(found, list):  # null is no answer to "which test inputs?"
        raise ValueError("no list")
    return found


def _check_size(entries: int) -> None:
    if entries > MAX_ENTRIES:
        raise LimitError(f"the file has {entries} entries; at most {MAX_ENTRIES} are allowed; try fewer")


def _check_lists(found: int, kind: str) -> None:
    if found > MAX_LISTS:
        raise LimitError(f"the file has {found} {kind}; at most {MAX_LISTS} are allowed; try fewer inputs")


def _read_npy(data: bytes) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # a damaged header raises whatever NumPy's reader of it raises
        raise ValueError(str(error)) from error


def vectors(given: Any) -> Array:
    """Shape (inputs, n_0), one vector a row. Raises RequestError or LimitError."""
    array = _real(given, "the inputs")
    if array.ndim != 2 or not array.size:
        raise bad_request(f"inputs of shape {array.shape}", "a list of vectors of one length is allowed", HINT)
    _check_number(len(array))
    return array


def label_vectors(given: Any, shape: Sequence[int] | None) -> Array:
    """The vectors of the labels (input, position), input by input, shape (inputs * positions, channels).

    ``given``: arrays of this ``shape``, channels first; a network without positions takes ``vectors``. Raises
    RequestError or LimitError.
    """
    if shape is None:
        return vectors(given)
    array = _real(given, "the inputs")
    if array.ndim != len(shape) + 1 or array.shape[1:] != tuple(shape) or not len(array):
        raise bad_request(
            f"inputs of shape {array.shape}",
            f"arrays of shape {list(shape)}, one an input, are allowed by this network",
            f"an array of shape {[2, *shape]} for two inputs",
        )
    _check_number(len(array))
    return np.moveaxis(array.reshape(len(array), shape[0], -1), 1, 2).reshape(-1, shape[0])


def gram_matrix(given: Any, shape: Sequence[int] | None = None) -> Array:
    """x.x'/n_0 for all pairs of inputs, shape (inputs, inputs), or of labels (input, position) of an input's ``shape``.

    Raises RequestError or LimitError.
    """
    array = _real(given, "the Gram matrix")
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise bad_request(f"a Gram matrix of shape {array.shape}", "a square matrix is allowed", "--gram k.npy")
    positions = prod((shape or ())[1:])
    if len(array) % positions:
        raise bad_request(
            f"a Gram matrix over {len(array)} labels",
            f"a multiple of {positions}, the positions of an input, is allowed by this network",
            "x.x'/channels of labels (input, position), input by input",
        )
    _check_number(len(array) // positions)
    scale = float(np.max(np.abs(array), initial=0.0))
    if scale > 1e150:
        raise bad_request("the Gram matrix is too large", "entries up to 1e150 are allowed", HINT)
    if np.max(np.abs(array - array.T)) > 1e-12 * scale or np.linalg.eigvalsh(array)[0] < -1e-10 * scale:
        raise bad_request(
            "the Gram matrix is not symmetric and positive semidefinite", "x.x'/n_0 of some inputs is allowed", HINT
        )
    return array / 2 + array.T / 2


def gram_of(inputs: Array) -> Array:
    """x.x'/n_0"""
    with np.errstate(over="ignore", invalid="ignore"):
        gram = inputs @ inputs.T / inputs.shape[1]
        gram = gram / 2 + gram.T / 2
    if not np.isfinite(gram).all():
        raise bad_request("the inputs are too large", "vectors whose squares do not overflow are allowed", HINT)
    if inputs[np.diag(gram) == 0].any():
        raise bad_request("the inputs are too small", "vectors whose squares do not underflow are allowed", HINT)
    return np.asarray(gram)


def number_array(given: Any) -> Array | None:
    """Real numbers of any shape as NumPy holds them; None for what is ragged or holds anything else, as true does.

    NumPy itself takes the booleans of a list for 0 and 1 where they stand beside numbers.
    """
    try:
        array = np.asarray(given)
    except ValueError:
        return None
    if array.dtype.kind not in "iuf":
        return None
    if isinstance(given, np.ndarray):
        return array
    kinds = set(map(type, np.asarray(given, dtype=object).ravel().tolist()))
    return None if kinds & {bool, np.bool_} else array


def _real(given: Any, what: str) -> Array:
    array = number_array(given)
    if array is None:
        raise bad_request(f"{what} are ragged or not real numbers", "vectors of one length of real numbers", HINT)
    if array.size > MAX_ENTRIES:
        raise LimitError(f"{what} have {array.size} entries; at most {MAX_ENTRIES} are allowed; try fewer")
    with np.errstate(all="ignore"):
        result = array.astype(float)
    if not np.isfinite(result).all():
        raise bad_request(f"{what} hold nan or inf", "finite numbers are allowed", HINT)
    return result


def _check_number(inputs: int) -> None:
    if inputs > MAX_INPUTS:
        raise LimitError(f"{inputs} inputs were given; at most {MAX_INPUTS} are allowed; try fewer")


def first_kernels(layer: Layer, gram: Array) -> dict[TensorId, Array]:
    """K and Theta of layer 1, the means that do not vanish there: both affine in x.x'/n_0 (theory section 1)."""
    return {MEAN_KERNEL: layer.C_b + layer.C_W * gram, MEAN_NTK: layer.lambda_b + layer.lambda_W * gram}
