"""Reads the standard as it was at a git revision."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import msgspec

from pytest_ffparity.formats import strict_json
from pytest_ffparity.vectors.acknowledged import Acknowledgement, read_acknowledgements
from pytest_ffparity.vectors.configured import NAMES, Configured, configured, over, without
from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.git_tree import RevisionError, Tree, open_tree
from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.model import MatrixFile, VectorFile
from pytest_ffparity.vectors.reader import read_vector_file
from pytest_ffparity.vectors.standard import Standard
from pytest_ffparity.vectors.waivers import Waiver, read_waivers

_T = TypeVar("_T", VectorFile, MatrixFile, tuple[Waiver, ...], tuple[Acknowledgement, ...])
_VECTORS: Final = ("vectors",)
_MATRIX: Final = ("rows", "required")
_UNCONFIGURED: Final = Configured()


def read_standard_at(  # noqa: PLR0913, PLR0917 - a revision, and every file of it that counts
    ref: str,
    root: Path,
    vectors: Sequence[Path],
    matrix: Path,
    waivers: Path | None,
    acknowledged: Path | None = None,
    *,
    ini: Path | None = None,
    defaults: Configured = _UNCONFIGURED,
    typed: Iterable[str] = ("vectors", "matrix", "waivers", "acknowledged"),
) -> Standard:
    """Read vector files, matrix and waivers as they were at a revision.

    Besides the files that are named it reads what pytest's configuration named at the revision, and
    what they may have been called before: every other vector file at the revision that lies in the
    same folders, or below `root` and is gone since.

    Args:
        ref: A branch, tag or commit.
        root: A folder of the repository's work tree.
        vectors: The vector files of today.
        matrix: The matrix of today.
        waivers: The waiver file of today; None where there is none.
        acknowledged: The acknowledgements of today, likewise; those of then are spent.
        ini: The configuration file that the command line names, None where it names none.
        defaults: What a configuration that says nothing means.
        typed: What today's command line names itself, and is looked for under that name alone.

    Returns:
        The standard; its files have the paths that they would have in the work tree. A file that
        was not there yet has a note, and a matrix that was not there is None.

    Raises:
        RevisionError: The revision, or a file at it, can't be read.
        VectorFileError: A file at the revision is unsound; names it as `REF:file`.
    """
    tree = open_tree(ref, root)
    with TemporaryDirectory(prefix="ffparity-baseline-") as folder:
        past = _Past(tree, Path(folder))
        base, said = past.configured(root, ini)
        then = without(over(defaults, said), typed)
        found = past.standard(
            root,
            list(dict.fromkeys([*vectors, *past.held(then.vectors, base)])),
            next(iter(past.held([then.matrix], base)), matrix),
            waivers if then.waivers is None else next(iter(past.held([then.waivers], base)), None),
        )
        answers = [*past.held([then.acknowledged], base), *([acknowledged] if acknowledged else [])]
        spent = past.acknowledged(dict.fromkeys(answers))
        return msgspec.structs.replace(found, acknowledged=spent)


class _Past:
    """A revision's files, written to a folder under their own names."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        self._tree = tree
        self._folder = folder
        self._notes: list[str] = []

    def standard(
        self, root: Path, vectors: Sequence[Path], matrix: Path, waivers: Path | None
    ) -> Standard:
        named = list(dict.fromkeys(map(self._tree.name, vectors)))
        matrix_name = self._tree.name(matrix)
        others = self._others(root, {*named, matrix_name})
        for name in self._shaped(others, _VECTORS):
            self._note(f"{name}: a vector file there that is none of this run's; its vectors count")
            named.append(name)
        held = self._held(named)
        self._write(self._captures(held))
        files = tuple(self._read(name, read_vector_file) for name in held)
        return Standard(
            files=tuple(msgspec.structs.replace(f, path=self._now(f.path)) for f in files),
            matrix=self._matrix(matrix_name, others),
            waivers=self._waivers(waivers),
            commit=self._tree.commit,
            notes=tuple(self._notes),
        )

    def configured(self, root: Path, ini: Path | None) -> tuple[Path, Configured]:
        """Give what the configuration there says of the gate's files, and the folder it is for.

        As pytest does, it takes the first in `root`, else in the nearest folder above it.
        """
        top = self._tree.top
        above = [p for p in (root, *root.parents) if Path(os.path.realpath(p)).is_relative_to(top)]
        places = [*([] if ini is None else [ini]), *(p / name for p in above for name in NAMES)]
        for place in self._there(places):
            name = self._tree.name(place)
            if name in self._tree.links:
                self._note(f"{name}: a symbolic link there, so what it configured is not known")
            elif (found := configured(place.name, self._tree.read([name])[name])) is not None:
                return place.parent, found
        return root, Configured()

    def held(self, names: Iterable[str | None], base: Path) -> list[Path]:
        """Give those files that the revision holds, as a file or as a link; None is no file."""
        places = (base / name for name in names if name is not None)
        return self._there(Path(os.path.abspath(place)) for place in places)  # noqa: PTH100

    def _there(self, places: Iterable[Path]) -> list[Path]:
        # What lies outside the repository is nothing that the revision could hold.
        inside = (
            p for p in places if Path(os.path.realpath(p.parent)).is_relative_to(self._tree.top)
        )
        known = self._tree.blobs.keys() | self._tree.links
        return [place for place in inside if self._tree.name(place) in known]

    def acknowledged(self, paths: Iterable[Path]) -> tuple[Acknowledgement, ...]:
        held = self._held(map(self._tree.name, paths))
        return tuple(
            each
            for name in held
            for each in self._read(name, lambda copy: read_acknowledgements(copy).acknowledged)
        )

    def _matrix(self, name: str, others: dict[str, bytes]) -> MatrixFile | None:
        if name not in self._tree.blobs and name not in self._tree.links:
            known = self._shaped(others, _MATRIX)
            if not known:
                self._note("no parity matrix there: rules and required vectors are all new")
                return None
            if len(known) > 1:
                raise RevisionError(
                    f"{self._tree.ref}:{name}: not there, and more than one file may have been the "
                    f"matrix ({', '.join(known)}); keep the matrix's name, or leave the baseline "
                    "out for this change"
                )
            self._note(f"{name}: not there; compared with {known[0]}")
            name = known[0]
        self._held([name])
        found = self._read(name, read_matrix)
        return msgspec.structs.replace(found, path=self._now(found.path))

    def _waivers(self, path: Path | None) -> tuple[Waiver, ...]:
        held = [] if path is None else self._held([self._tree.name(path)])
        return self._read(held[0], lambda copy: read_waivers(copy).waivers) if held else ()

    def _others(self, root: Path, named: set[str]) -> dict[str, bytes]:
        """Read the JSON files that may be today's under the name that they had then."""
        folders = {posixpath.dirname(name) for name in named}
        below = posixpath.dirname(self._tree.name(root / "here"))
        sought = [
            name
            for name in sorted(self._tree.blobs)
            if name.endswith(".json")
            and name not in named
            and (
                posixpath.dirname(name) in folders
                or (_is_below(name, below) and not (self._tree.top / name).exists())
            )
        ]
        return self._tree.read(sought)

    def _shaped(self, contents: dict[str, bytes], keys: tuple[str, ...]) -> list[str]:
        """Choose the files that have these arrays at the top level.

        What is no strict JSON was of no use to a gate, so that no vector is lost by passing it by.
        """
        return [
            name
            for name, raw in contents.items()
            if "schema_version" in (data := _object(raw))
            and all(isinstance(data.get(key), list) for key in keys)
        ]

    def _held(self, names: Iterable[str]) -> list[str]:
        """Write those that the revision holds, and note the others."""
        wanted = list(names)
        self._write(wanted)
        for name in wanted:
            if name not in self._tree.blobs:
                self._note(f"{name}: not there, so all that it holds is new")
        return [name for name in wanted if name in self._tree.blobs]

    def _captures(self, names: list[str]) -> Iterator[str]:
        """Name the captures that vector files refer to."""
        for name in names:
            for vector in _list(_object((self._folder / name).read_bytes()).get("vectors")):
                file = vector.get("cases_file") if isinstance(vector, dict) else None
                if not isinstance(file, str):
                    continue
                capture = posixpath.normpath(posixpath.join(posixpath.dirname(name), file))
                if posixpath.isabs(capture) or capture.startswith(".."):
                    raise RevisionError(
                        f"{self._tree.ref}:{name}: its cases_file {file!r} is outside the "
                        "repository, so nobody can tell how it was then; leave the baseline out "
                        "for the change that moves it in"
                    )
                yield capture

    def _write(self, names: Iterable[str]) -> None:
        for name, raw in self._tree.read(names).items():
            path = self._folder / name
            if ".." in path.parts:
                raise RevisionError(f"{self._tree.ref}:{name}: not a file name; mend the commit")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)

    def _read(self, name: str, reader: Callable[[Path], _T]) -> _T:
        try:
            return reader(self._folder / name)
        except VectorFileError as error:
            at = Path(os.path.relpath(error.path, self._folder)).as_posix()
            remedy = (
                f"That is the file as it was at {self._tree.ref}: name a revision in which it is "
                "sound, or leave the baseline out for the change that mends it."
            )
            raise VectorFileError(Path(f"{self._tree.ref}:{at}"), error.problems, remedy) from None

    def _now(self, copy: Path) -> Path:
        return self._tree.top / copy.relative_to(self._folder)

    def _note(self, sentence: str) -> None:
        self._notes.append(f"{self._tree.ref}: {sentence}")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        data = strict_json.loads(raw)
    except strict_json.JSONRefusedError:
        return {}
    return data if isinstance(data, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_below(name: str, folder: str) -> bool:
    return not folder or name.startswith(f"{folder}/")
