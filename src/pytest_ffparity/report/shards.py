"""Tells whether reports are the shards of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.report.model import Report, Source

# A report and the file that it was read from.
Shard: TypeAlias = tuple[Path, Report]
_REMEDY = "Merge the reports of one run: one commit, the same files and paths, each report once."


class MergeError(FFParityError):
    """Reports that are no shards of one run; says which of them and why."""


def check(shards: Sequence[Shard]) -> None:
    """Refuse what is not of one run.

    A shard that never finished says nothing of its files and paths: it only has to be of the same
    commit.

    Raises:
        MergeError: With everything that keeps them apart.
    """
    if len(shards) < 2:  # noqa: PLR2004 - one is whole already
        raise MergeError(f"{len(shards)} reports to merge, expected two or more\n{_REMEDY}")
    problems = [*_twice(shards), *_apart(shards)]
    if problems:
        raise MergeError("\n".join([*problems, _REMEDY]))


def _twice(shards: Sequence[Shard]) -> Iterator[str]:
    for index, (path, report) in enumerate(shards):
        for other_path, other in shards[:index]:
            if path.resolve() == other_path.resolve():
                yield f"{path}: the same file was given twice"
            elif report == other:
                yield f"{path}: the same report as {other_path}"


def _apart(shards: Sequence[Shard]) -> Iterator[str]:
    first_path, first = shards[0]
    for path, report in shards[1:]:
        commits = [each.surroundings.commit for each in (report, first)]
        if commits[0] != commits[1]:
            told = "; there: ".join(map(_commit, commits))
            yield f"{path}: of another commit than {first_path} ({told})"
    finished = [(path, report) for path, report in shards if report.finished]
    if not finished:
        return
    first_path, first = finished[0]
    for path, report in finished[1:]:
        if _matrix(report) != _matrix(first):
            yield f"{path}: judged by another matrix than {first_path}"
        if report.waivers != first.waivers:
            yield f"{path}: judged under other waivers than {first_path}"
    yield from _other_paths(finished)
    yield from _other_baselines(finished)
    yield from _other_draws(finished)
    yield from _other_files(finished)


def _other_paths(finished: Sequence[Shard]) -> Iterator[str]:
    """Compare the paths; a shard that judged nothing has none."""
    judged = [(path, tuple(report.paths)) for path, report in finished if report.paths]
    for path, names in judged[1:]:
        first_path, first = judged[0]
        if names != first:
            told = f"{', '.join(names)}; there: {', '.join(first)}"
            yield f"{path}: judged on other paths than {first_path} ({told})"


def _other_baselines(finished: Sequence[Shard]) -> Iterator[str]:
    refs = [(path, report.baseline.ref) for path, report in finished if report.baseline]
    for path, ref in refs[1:]:
        first_path, first = refs[0]
        if ref != first:
            yield f"{path}: held against another baseline than {first_path} ({ref}; there: {first})"


def _other_draws(finished: Sequence[Shard]) -> Iterator[str]:
    drawn = [(path, r.surroundings) for path, r in finished if r.surroundings.generated]
    for path, around in drawn[1:]:
        first_path, first = drawn[0]
        if (around.generated, around.seed) != (first.generated, first.seed):
            told = f"{around.again}; there: {first.again}"
            yield f"{path}: generated other cases than {first_path} ({told})"


def _other_files(finished: Sequence[Shard]) -> Iterator[str]:
    homes: dict[str, tuple[Path, Source]] = {}
    for path, report in finished:
        for source in report.surroundings.vectors:
            first_path, first = homes.setdefault(source.file, (path, source))
            if source != first:
                yield f"{path}: {source.file} held something else than in {first_path}"


def _matrix(report: Report) -> tuple[str | None, tuple[str, ...]]:
    around = report.surroundings
    return None if around.matrix is None else around.matrix.digest, around.rows


def _commit(name: str | None) -> str:
    return "none" if name is None else name[:12]
