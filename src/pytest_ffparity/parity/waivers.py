"""Weighs waivers: which failed judgements they cover, and what is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from pytest_ffparity.parity.judgement import Judgement, is_share
from pytest_ffparity.vectors.waivers import Waiver


def covering(
    judgement: Judgement, waivers: Iterable[Waiver], today: date
) -> tuple[Waiver, ...] | None:
    """Give the waivers that cover all that is wrong with a judgement, or None.

    Only divergences can be waived, each by a live waiver of its own: no error, no missed limit, no
    path that disagrees with itself, and nothing in a judgement in which a deny became an allow.
    """
    if is_share(judgement.id):
        # Drawn anew in each run: nobody can know what it is that diverges.
        return None
    if not judgement.divergences or not judgement.merely_diverged or judgement.opened:
        return None
    live = {(w.vector, w.field): w for w in waivers if today < w.expires}
    found: dict[tuple[str, str], Waiver] = {}
    for divergence in judgement.divergences:
        place = (judgement.id, divergence.field)
        if place not in live:
            return None
        found[place] = live[place]
    return tuple(found.values())


def complaints(
    waivers: Iterable[Waiver],
    judgements: Iterable[Judgement],
    today: date,
    unknown: Collection[str] = (),
) -> list[str]:
    """Say which waivers have expired, or cover nothing that diverged.

    Args:
        waivers: All that the file holds.
        judgements: All that was judged.
        today: The day of the run, in UTC; from the day of its expiry on a waiver is void.
        unknown: Ids of vectors that were left out or lost: nobody knows whether they diverge.
    """
    listed = list(judgements)
    places = {(j.id, d.field) for j in listed for d in j.divergences}
    # Where more is wrong than divergences, some may not have come to light.
    unknown = {*unknown, *(j.id for j in listed if not j.merely_diverged)}
    found = []
    for waiver in waivers:
        named = f"waiver of {waiver.vector} {waiver.field} (owner: {waiver.owner})"
        if today >= waiver.expires:
            found.append(f"{named} expired on {waiver.expires}: mend the divergence, or renew it")
        elif (waiver.vector, waiver.field) not in places and waiver.vector not in unknown:
            found.append(f"{named} is unused: nothing diverges there, so remove it")
    return found
