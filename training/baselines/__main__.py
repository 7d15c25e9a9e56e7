"""``python -m training.baselines``: train one cell of the table of baselines."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError

from secloop_ai.contracts import SecLoopError
from secloop_ai.contracts.errors import InputError


def main(arguments: list[str] | None = None) -> int:
    """Train, and say what came of it; 1 where the input cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except SecLoopError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(options: argparse.Namespace) -> int:
    from .run import CellConfig, own_of, run  # noqa: PLC0415 - torch takes seconds: not for --help or a wrong word

    try:
        config = CellConfig(
            own=own_of(options.algorithm),
            seed=options.seed,
            budget_s=options.budget_s,
            seeds=options.seeds,
            generated=options.generated,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"--{str(first['loc'][-1]).replace('_', '-')}: {first['msg']}") from None
    cell = run(config, options.out, start=options.start)
    if options.json:
        sys.stdout.write(f"{cell.model_dump_json()}\n")
    else:
        figures = ", ".join(f"{name} {figure:.3f}" for name, figure in cell.best.items())
        sys.stdout.write(f"{cell.policy}: {figures} on the validation split; {cell.seconds:.0f} s of training\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.baselines", description=__doc__)
    parser.add_argument("--algorithm", required=True, choices=["ppo", "dqn", "ddqn", "kto"])
    parser.add_argument("--seed", type=int, default=0, help="of weights, tasks and whatever else is drawn")
    parser.add_argument("--budget-s", type=float, default=300.0, help="seconds of training")
    parser.add_argument("--seeds", type=int, default=6, help="of the train split's cases, from 0 on")
    parser.add_argument("--generated", type=int, default=0, help="tasks beyond the suites', as the corpus has them")
    parser.add_argument("--start", type=Path, help="folder of the checkpoint that KTO starts from")
    parser.add_argument("--out", type=Path, required=True, help="folder of the cell")
    parser.add_argument("--json", action="store_true", help="the finished cell as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
