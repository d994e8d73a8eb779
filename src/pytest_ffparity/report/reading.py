"""Reads a JSON report back into the report model; what contradicts itself is no report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.formats import located, schema, strict_json
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.report import json_report, rebuilding
from pytest_ffparity.report.model import Report

SCHEMA: Final = "report.v1"
_CUT_OFF: Final = "it is cut off: the run that wrote it did not finish"
_AGAIN: Final = "Run the gate again with --ffparity-report=FILE, or name another file."
# A report that was changed by hand may differ from itself in a thousand places.
_MAX_TOLD: Final = 10


class ReportFileError(FFParityError):
    """A file that is no sound JSON report; says where, what is wrong and what to do."""


def read_report(path: Path) -> Report:
    """Read a JSON report, also one of a run that never finished.

    Raises:
        ReportFileError: The file is missing, cut off, breaks the schema or contradicts itself.
    """
    text = _text(path)
    data = _parsed(path, text)
    if isinstance(data, dict) and "footer" not in data:
        _refuse(path, text, [Problem("", f"found no footer: {_CUT_OFF}")])
    problems = schema.problems(SCHEMA, data)
    if problems:
        _refuse(path, text, problems)
    try:
        report = rebuilding.report(data)
    except rebuilding.UnsoundError as error:
        _refuse(path, text, [error.problem])
    problems = list(_differing(data, json.loads(json_report.to_text(report)), ()))
    due = rebuilding.due(report)
    if report.ruling.verdict is not due:
        sentence = f'found "{report.ruling.verdict}", but what it holds makes it "{due}"'
        problems.append(Problem("/verdict", sentence))
    if problems:
        _refuse(path, text, problems)
    return report


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ReportFileError(f"{path}: found no such file, expected a report\n{_AGAIN}") from None
    except OSError as error:
        raise ReportFileError(f"{path}: can't be read: {error.strerror}\n{_AGAIN}") from None
    except UnicodeDecodeError as error:
        sentence = f"found bytes that are not UTF-8 (at byte {error.start})"
        raise ReportFileError(f"{path}: {sentence}\n{_AGAIN}") from None


def _parsed(path: Path, text: str) -> Any:
    try:
        # Not the strict reader: what a path raised may hold characters that no store takes.
        data = json.loads(text, object_pairs_hook=strict_json.unique, parse_constant=_no_constant)
        json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        whole = text.rstrip()
        cut = error.pos >= len(whole) or not whole.endswith("}")
        sentence = _CUT_OFF if cut else f"not JSON: {error.msg}"
        raise ReportFileError(f"{path}:{error.lineno}: {sentence}\n{_AGAIN}") from None
    except strict_json.JSONRefusedError as error:
        raise ReportFileError(f"{path}: {error.problem}\n{_AGAIN}") from None
    except UnicodeEncodeError:
        raise ReportFileError(f"{path}: holds a lone surrogate\n{_AGAIN}") from None
    except RecursionError:
        raise ReportFileError(f"{path}: nested too deep for a report\n{_AGAIN}") from None
    return data


def _no_constant(name: str) -> NoReturn:
    raise strict_json.JSONRefusedError(f"{name} is no JSON number")


def _refuse(path: Path, text: str, problems: list[Problem]) -> NoReturn:
    at = located.places(text, {problem.pointer for problem in problems})
    told = [
        f"{path}:{at[p.pointer].line}: {p.pointer or '(top level)'}: {p.sentence}"
        for p in problems[:_MAX_TOLD]
    ]
    if len(problems) > _MAX_TOLD:
        told.append(f"{path}: and {len(problems) - _MAX_TOLD} more")
    raise ReportFileError("\n".join([*told, _AGAIN]))


def _differing(found: Any, due: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Find where the file does not say what a writer makes of its own contents."""
    if isinstance(found, dict) and isinstance(due, dict) and found.keys() == due.keys():
        for key, value in found.items():
            yield from _differing(value, due[key], (*path, key))
    elif isinstance(found, list) and isinstance(due, list) and len(found) == len(due):
        for index, pair in enumerate(zip(found, due, strict=True)):
            yield from _differing(*pair, (*path, index))
    elif not strict_json.same(found, due):
        sentence = (
            f"found {schema.found_text(found)}, but the rest of the file makes it "
            f"{schema.found_text(due)}"
        )
        yield Problem(join(path), sentence)
