"""Reads what a run has to judge: the vector files and the matrix, checked against each other."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from pytest_ffparity.parity.expectation import lacking
from pytest_ffparity.parity.fuzz import Draw
from pytest_ffparity.parity.judgement import digest
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.selftest import Trial
from pytest_ffparity.parity.verdict import Declared, Gap, VectorKey
from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.model import MatrixFile, VectorFile
from pytest_ffparity.vectors.reader import read_vector_file
from pytest_ffparity.vectors.waivers import Waiver


class Inventory(msgspec.Struct, frozen=True):
    """What the files hold; `broken` are the files that could not be read."""

    root: Path
    files: tuple[VectorFile, ...]
    broken: tuple[Gap, ...]
    matrix_file: MatrixFile
    matrix: ParityMatrix
    waivers: tuple[Waiver, ...] = ()

    def name(self, path: Path) -> str:
        """Name a file as messages, node ids and reports do: relative to the root."""
        return named(path, self.root)

    def declared(self, generated: Iterable[Draw | Trial] = ()) -> Declared:
        """Give every vector that has to be judged, and what is generated on top of them."""
        digests = {
            VectorKey(self.name(file.path), vector.id): digest(vector)
            for file in self.files
            for vector in file.vectors
        }
        lines = {
            VectorKey(self.name(file.path), vector.id): vector.line
            for file in self.files
            for vector in file.vectors
        }
        matrix = self.name(self.matrix_file.path)
        digests |= {VectorKey(matrix, each.id): digest(each) for each in generated}
        required = self.matrix_file.required
        return Declared(digests, required, self.broken, self.waivers, lines)


def named(path: Path, root: Path) -> str:
    """Name a file relative to the root, with slashes."""
    return Path(os.path.relpath(path, root)).as_posix()


def take_inventory(
    root: Path,
    paths: Iterable[Path],
    matrix_file: MatrixFile,
    waivers: tuple[Waiver, ...] = (),
) -> Inventory:
    """Read all vector files; one that is broken does not keep the others from being read."""
    matrix = ParityMatrix(matrix_file.rows)
    files, broken = [], []
    for path in paths:
        try:
            files.append(read_vectors(path, matrix))
        except VectorFileError as error:
            told = f"none of its vectors was run, problems: {len(error.problems)}"
            lines = [p.line for p in error.problems if p.line is not None and error.path == path]
            broken.append(Gap(told, file=named(path, root), line=min(lines, default=None)))
    return Inventory(root, tuple(files), tuple(broken), matrix_file, matrix, waivers)


def read_vectors(path: Path, matrix: ParityMatrix) -> VectorFile:
    """Read a vector file and check that each expectation names every MUST_MATCH field.

    Raises:
        VectorFileError: With every problem of the file.
    """
    file = read_vector_file(path)
    problems = list(lacking(file, matrix))
    if problems:
        remedy = "Name the fields in the expectation, or change their row in the matrix."
        raise VectorFileError(path, problems, remedy)
    return file
