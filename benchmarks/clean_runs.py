"""How often the gate is red without a cause: the vectors, judged over and over in one process.

    python benchmarks/clean_runs.py [RUNS]

Prints each red run with its reasons, and at the end how many were clean and the slowest p99.
Exits 1 if one was red.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.paths.builtin import builtin_paths
from pytest_ffparity.paths.keys import KeyRing
from pytest_ffparity.paths.mint import minted
from pytest_ffparity.paths.world import instant_of
from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.reader import read_vector_file

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def told(judgement: Judgement) -> str:
    fields = sorted({d.field for d in judgement.divergences})
    errors = [path.error for path in judgement.paths.values() if path.error]
    missed = () if judgement.stress is None else judgement.stress.missed
    rest = [*map(str, judgement.unstable), *judgement.problems, *errors, *missed]
    return f"{judgement.id}: {', '.join([*fields, *map(str, rest)])}"


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    logging.disable(logging.CRITICAL)  # worlds with an unreachable server say so each time
    keys = KeyRing()
    matrix = ParityMatrix(read_matrix(VECTORS / "cutover_parity_matrix.json").rows)
    vectors = read_vector_file(VECTORS / "parity_test_matrix.json").vectors
    slowest: dict[str, float] = {}
    clean, started = 0, time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loop = stack.enter_context(asyncio.Runner())
        paths = stack.enter_context(builtin_paths(folder=folder, dsn=None, keys=keys, run=loop.run))
        run = Run("clean", list(paths), matrix, lambda r, w: minted(r, keys, instant_of(w)))
        for number in range(1, runs + 1):
            judged = [loop.run(judge(run, "v.json", vector)) for vector in vectors]
            red = [told(judgement) for judgement in judged if not judgement.passed]
            clean += not red
            for judgement in judged:
                loads = {} if judgement.stress is None else judgement.stress.paths
                for name, load in loads.items():
                    slowest[name] = max(slowest.get(name, 0.0), load.latency.p99_ms)
            if red or number % 20 == 0:
                spent = time.monotonic() - started
                print(f"run {number} of {runs}, {spent:.0f} s: {red or 'clean'}", flush=True)
    figures = ", ".join(f"{name} {ms:.1f} ms" for name, ms in slowest.items())
    print(f"{clean} of {runs} runs of {len(vectors)} vectors clean; slowest p99: {figures}")
    return int(clean < runs)


if __name__ == "__main__":
    sys.exit(main())
