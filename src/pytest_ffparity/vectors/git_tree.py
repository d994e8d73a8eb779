"""The files of a git revision, by the user's own git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from pytest_ffparity.errors import FFParityError

_TIMEOUT_S: Final = 60
_HEX: Final = re.compile(r"[0-9a-f]{40,64}")
# A hook of git's runs with these set for its own repository and index.
_OF_A_HOOK: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
_LINK: Final = "120000"


class RevisionError(FFParityError):
    """A revision, or a file at it, that can't be read."""


class Tree(msgspec.Struct, frozen=True):
    """The tree of one commit.

    `blobs` and `links` are names relative to `top`, with slashes; a blob's value is its object's
    name. `modules` are the folders of submodules, whose files are no part of the tree.
    """

    ref: str
    commit: str
    top: Path
    blobs: dict[str, str]
    links: frozenset[str]
    modules: tuple[str, ...]

    def name(self, path: Path) -> str:
        """Name a file as the tree does; the file need not be there.

        Raises:
            RevisionError: The file is outside the repository, or in a submodule.
        """
        # The last part stays: a link is a file of its own, and may point elsewhere by now.
        real = Path(os.path.realpath(path.parent)) / path.name
        if not real.is_relative_to(self.top):
            raise RevisionError(
                f"{path}: outside the git repository {self.top}, so nobody can tell how it was at "
                f"{self.ref}; move it into the repository, or leave the baseline out"
            )
        name = real.relative_to(self.top).as_posix()
        for module in self.modules:
            if name.startswith(f"{module}/"):
                raise RevisionError(
                    f"{path}: in the submodule {module}, which {self.ref} does not hold itself; "
                    "run the gate in the submodule's own repository"
                )
        return name

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """Read files by their names; those that the tree does not hold are left out.

        Raises:
            RevisionError: One is a link, or git can't give it.
        """
        wanted = list(names)
        for name in wanted:
            if name in self.links:
                raise RevisionError(
                    f"{self.ref}:{name}: is a symbolic link there; name the file that it points to"
                )
        held = [name for name in wanted if name in self.blobs]
        if not held:
            return {}
        asked = "".join(f"{self.blobs[name]}\n" for name in held)
        answer = _git(self.top, "cat-file", "--batch", given=asked.encode())
        found, at = {}, 0
        for name in held:
            end = answer.find(b"\n", at)
            head = answer[at:end].split()
            if end < 0 or len(head) != 3 or head[1] != b"blob":  # noqa: PLR2004 - name, kind, size
                raise RevisionError(
                    f"{self.ref}:{name}: git does not hold its content; fetch the repository whole "
                    "(in actions/checkout `fetch-depth: 0`, and no `filter`)"
                )
            size = int(head[2])
            found[name] = answer[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found


def open_tree(ref: str, root: Path) -> Tree:
    """Find a revision in the repository that the folder `root` is in.

    Raises:
        RevisionError: git is missing, there is no repository, or it does not know the revision.
    """
    if not ref or ref.startswith("-") or not ref.isprintable():
        raise RevisionError(
            f"baseline {ref!r}: not a git revision; name a branch, a tag or a commit, for example "
            "origin/main"
        )
    top = os.fsdecode(_git(root, "rev-parse", "--show-toplevel")).removesuffix("\n")
    # No --end-of-options: git before 2.30 repeats it here, and a ref with '-' was refused.
    told = _run(root, "rev-parse", "--verify", f"{ref}^{{commit}}")
    if b"ambiguous" in told.stderr:
        raise RevisionError(
            f"baseline {ref!r}: a branch and a tag have this name, and git took one of them; name "
            f"it whole, as refs/heads/{ref}, refs/remotes/{ref} or refs/tags/{ref}"
        )
    commit = told.stdout.decode("utf-8", "replace").strip()
    if told.returncode or not _HEX.fullmatch(commit):
        raise _unknown(ref, root)
    blobs: dict[str, str] = {}
    links, modules = set(), []
    listing = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    for entry in listing.split(b"\0")[:-1]:
        head, _, raw = entry.partition(b"\t")
        mode, kind, oid = head.decode().split()
        name = os.fsdecode(raw)
        if kind == "commit":
            modules.append(name)
        elif mode == _LINK:
            links.add(name)
        else:
            blobs[name] = oid
    return Tree(ref, commit, Path(os.path.realpath(top)), blobs, frozenset(links), tuple(modules))


def _unknown(ref: str, root: Path) -> RevisionError:
    told = f"baseline {ref!r}: no such revision in the repository of {root}"
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return RevisionError(
            f"{told}, which is a shallow clone; fetch its history (in actions/checkout "
            "`fetch-depth: 0`, elsewhere `git fetch --unshallow`)"
        )
    return RevisionError(
        f"{told}; fetch it (`git fetch origin`), or name a branch, a tag or a commit that is there"
    )


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = _run(folder, *arguments, given=given)
    if done.returncode == 0:
        return done.stdout
    told = " ".join(done.stderr.decode("utf-8", "replace").split())
    if "not a git repository" in told:
        raise RevisionError(
            f"{folder}: not in a git repository, so there is no baseline to compare with; run in a "
            "checkout, or leave the baseline out"
        )
    raise RevisionError(f"git {arguments[0]} failed in {folder}: {told or 'without a word'}")


def _run(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise RevisionError(
            "git was not found, and the baseline is read with it; install git, or leave the "
            "baseline out"
        )
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    try:
        return subprocess.run(  # noqa: S603 - the user's own git, no shell
            [git, *arguments],
            cwd=folder,
            # Objects that are replaced on this machine would be another standard than the shared.
            env={**kept, "LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0"},
            input=given,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RevisionError(
            f"git {arguments[0]} took longer than {_TIMEOUT_S} s in {folder}; look whether the "
            "repository is sound (`git fsck`) and its remote can be reached"
        ) from None
    except OSError as error:
        raise RevisionError(f"git can't be run in {folder}: {error.strerror}") from None
