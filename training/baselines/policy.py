"""A learned baseline as a policy: a small network in NumPy that picks templates, one after the other.

The folder holds ``policy.json`` and ``weights.safetensors``; nothing in it is code, and neither torch nor the library
that trained it is needed to read it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from secloop_ai.contracts import Candidate, PolicyError, PolicyRequest
from secloop_ai.policies.embedded import encode

from . import observation, templates
from .board import ACTIONS, OBSERVED, Board
from .observation import Bits

ABOUT, WEIGHTS = "policy.json", "weights.safetensors"
Array = npt.NDArray[np.float32]
Activation = Literal["tanh", "relu"]


class Net(NamedTuple):
    """Layers of weights (out, in) and biases (out,), with the activation between them."""

    layers: tuple[tuple[Array, Array], ...]
    activation: Activation

    def scores(self, seen: Bits) -> Array:
        """One figure per action for an observation, whatever its mask says."""
        x = seen.astype(np.float32)
        for n, (weight, bias) in enumerate(self.layers):
            if n:
                x = np.tanh(x) if self.activation == "tanh" else np.maximum(x, np.float32(0))
            x = weight @ x + bias
        return x

    def ranked(self, board: Board, said: Sequence[int]) -> list[int]:
        """The actions that may come next, best first."""
        allowed = np.flatnonzero(board.mask(said))
        scores = self.scores(board.observation(said))[allowed]
        return [int(n) for n in allowed[np.argsort(-scores, kind="stable")]]

    def finish(self, board: Board, first: int) -> tuple[int, ...]:
        """What is said from this first action on, always the best one."""
        said: list[int] = []
        chosen = first
        while chosen != templates.stop():
            said.append(chosen)
            chosen = self.ranked(board, said)[0]
        return tuple(said)


class LearnedPolicy:
    """Greedy; further candidates begin with the next best first action.

    Args:
        net: the network.
        algorithm: that trained it.
        digest: SHA-256 (hex) of the weights file.
    """

    def __init__(self, net: Net, algorithm: str, digest: str) -> None:
        self._net = net
        self._algorithm = algorithm
        self._digest = digest

    @property
    def name(self) -> str:
        """The algorithm and the weights' first digits, for the audit."""
        return f"rl-{self._algorithm}/{self._digest[:8]}"

    def digest(self) -> str:
        """SHA-256 (hex) of the weights file."""
        return self._digest

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:  # noqa: ARG002 - no dice
        """Up to `n` candidates, best first; the seed changes nothing.

        Raises:
            PolicyError: `n` is less than one.
        """
        if n < 1:
            raise PolicyError(f"{self.name}: asked for {n} candidates")
        board = Board.of(encode(request).words, request)
        answers = [self._net.finish(board, first) for first in self._net.ranked(board, ())[:n]]
        distinct = {frozenset(said): said for said in reversed(answers)}
        kept = (said for said in answers if distinct[frozenset(said)] is said)
        return tuple(
            Candidate(calls=board.answer(said), score=-float(place), rationale=self._algorithm)
            for place, said in enumerate(kept)
        )


def save(net: Net, folder: Path, *, algorithm: str, run: Mapping[str, Any]) -> LearnedPolicy:
    """Write the folder, which is made where it is not there; `run` says how the weights came about."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{kind}{n}": a for n, layer in enumerate(net.layers) for kind, a in zip("wb", layer, strict=True)}
    raw = save_tensors(tensors)
    about = {
        "algorithm": algorithm,
        "activation": net.activation,
        "layers": len(net.layers),
        "templates_sha256": templates.digest(),
        "observation_sha256": observation.digest(),
        "run": dict(run),
    }
    (folder / WEIGHTS).write_bytes(raw)
    (folder / ABOUT).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return LearnedPolicy(net, algorithm, hashlib.sha256(raw).hexdigest())


def load(argument: str) -> LearnedPolicy:
    """The policy of a folder.

    Raises:
        PolicyError: a file is missing, cut off, or made for other templates or another vocabulary.
    """
    if not argument:
        raise PolicyError("rl: needs the folder of a learned policy, as rl:FOLDER")
    folder = Path(argument)
    about = _about(folder / ABOUT)
    raw = _bytes(folder / WEIGHTS)
    try:
        found = load_tensors(raw)
        layers = tuple((found[f"w{n}"], found[f"b{n}"]) for n in range(int(about["layers"])))
        net = Net(layers, about["activation"])
        algorithm = str(about["algorithm"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise PolicyError(f"{folder}: not a whole learned policy: {error}") from None
    if not _fits(net):
        raise PolicyError(f"{folder / WEIGHTS}: layers of another shape than this version's ({OBSERVED} to {ACTIONS})")
    return LearnedPolicy(net, algorithm, hashlib.sha256(raw).hexdigest())


def _fits(net: Net) -> bool:
    widths = [OBSERVED, *(len(bias) for _, bias in net.layers)]
    shapes = [(after, before) for before, after in pairwise(widths)]
    return widths[-1] == ACTIONS and [w.shape for w, _ in net.layers] == shapes


def _about(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(path))
    except ValueError:
        raise PolicyError(f"{path}: not JSON") from None
    if not isinstance(found, dict):
        raise PolicyError(f"{path}: not about a learned policy")
    for name, now in (("templates", templates.digest()), ("observation", observation.digest())):
        if found.get(f"{name}_sha256") != now:
            raise PolicyError(f"{path}: made for another {name} of another version; train it again")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}: a learned policy's file") from None
