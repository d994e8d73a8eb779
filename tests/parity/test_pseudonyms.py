from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.pseudonyms import DEFAULT_POINTERS, Pseudonyms
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import Case, CasesVector, MatrixRow

MATRIX = ParityMatrix(
    [
        MatrixRow(
            id="R-1", line=1, document="decision", fields=(field,), rule="MUST_MATCH", why="w"
        )
        for field in ("/decision", "/value", "/by/*")
    ]
)
KEY = b"a key of this test"


class Echo:
    """Shows the caller everywhere that a decision and an error can."""

    def __init__(self, name: str, twist: Any = str, *, raises: bool = False) -> None:
        self.name = name
        self._twist = twist
        self._raises = raises

    async def evaluate(self, request: Any) -> Any:
        user = request["headers"]["X-FF-User"]
        if self._raises:
            raise LookupError(f"nobody is called {user!r}, /users/{user}/flags of key_{user}_x")
        shown = self._twist(user)
        return {
            "decision": "allow",
            "value": {"who": shown, "text": f"for '{shown}' of {user}", shown: [shown]},
            "by": {shown: 1},
        }


def judged(  # noqa: PLR0913 - what a run may be like
    users: list[Any],
    new: Any,
    *,
    key: bytes | None = KEY,
    save: Path | None = None,
    captured: bool = True,
    old: Any = None,
) -> Judgement:
    pseudonyms = None if key is None else Pseudonyms(key)
    run = Run(
        "n",
        [old or Echo("old"), new],
        MATRIX,
        lambda request, _world: request,
        pseudonyms=pseudonyms,
        save=save,
    )
    cases = tuple(
        Case(id=f"req of {user}", request={"headers": {"X-FF-User": user}, "note": f"q={user}"})
        for user in users
    )
    world = {"user_overrides": [{"user_id": user} for user in users]}
    vector = CasesVector(id="V", title="t", line=1, world=world, cases=cases, captured=captured)
    return asyncio.run(judge(run, "f.json", vector))


def other(user: str) -> str:
    return f"{user}+"


RAW = [
    "josé.garcía@example.org",
    normalize("NFD", "josé.garcía@example.org"),
    "a.b*c[d](e)|f\\g^$",
    'O\'Neil "the" \t quoted/~1',
    "U1001",
    "U10",
    "Müller Straße",
    "用户一",
    "user",
    "U1001-U10",
    " trailing ",
    "\U0001d518\U0001d52b\U0001d526",
]


@pytest.mark.parametrize("raises", [False, True], ids=["differs", "raises"])
@pytest.mark.parametrize("users", [RAW, *([one] for one in RAW)], ids=["all", *map(ascii, RAW)])
def test_no_captured_id_stands_anywhere_in_what_is_told_or_saved(
    users: list[str], tmp_path: Path, *, raises: bool
) -> None:
    found = judged(users, Echo("new", other, raises=raises), save=tmp_path)
    assert not found.passed
    assert found.examples
    text = found.to_text()
    for path in tmp_path.rglob("*"):
        text += path.name + path.read_text("utf-8")
    for user in users:
        if user != "user":  # every pseudonym begins so
            for form in (user, ascii(user)[1:-1], user.replace('"', '\\"')):
                assert form not in text.replace("\\\\", "\\"), form


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
def test_an_id_that_a_path_has_normalised_is_hidden_and_shows_as_another(form: Any) -> None:
    user = "josé ﬁn" if form != "NFC" else normalize("NFD", "josé fin")
    found = judged([user], Echo("new", lambda text: normalize(form, text)))
    text = found.to_text()
    assert user not in text
    assert normalize(form, user) not in text
    assert Pseudonyms(KEY).of(user) in text
    assert Pseudonyms(KEY).of(normalize(form, user)) in text


@pytest.mark.parametrize(
    "twist", [str.lower, str.upper, str.casefold, str.strip], ids=["lo", "up", "cf", "st"]
)
def test_an_id_that_a_path_has_folded_is_hidden(twist: Any) -> None:
    found = judged([" Straße.Hill "], Echo("new", twist))
    assert not found.passed
    assert "hill" not in found.to_text().lower()


def test_one_key_gives_one_pseudonym_and_another_key_another() -> None:
    first, again = (judged(["U1001"], Echo("new", other)).to_text() for _ in range(2))
    assert first == again
    assert Pseudonyms(KEY).of("U1001") in first
    assert (
        Pseudonyms(KEY).of("U1001") not in judged(["U1001"], Echo("new", other), key=b"x").to_text()
    )


def test_ids_that_contain_one_another_keep_their_own_pseudonyms() -> None:
    masks = Pseudonyms(KEY)
    mask = masks.masking(["U1001", "U1001-U10", "U10"], ())
    assert mask.text("U1001-U10, U1001; U10") == ", ".join(
        [masks.of("U1001-U10"), f"{masks.of('U1001')}; {masks.of('U10')}"]
    )


def test_short_ids_are_hidden_where_they_stand_alone() -> None:
    masks = Pseudonyms(KEY)
    mask = masks.masking(["al"], ())
    assert mask.text("al's values allow al_1 (al)") == "{0}'s values allow {0}_1 ({0})".format(
        masks.of("al")
    )


def test_what_is_hidden_is_not_hidden_again() -> None:
    masks = Pseudonyms(KEY)
    mask = masks.masking(["user", "josé"], ())
    once = mask.text("user josé")
    assert once == f"{masks.of('user')} {masks.of('josé')}"
    assert mask.text(once) == once


def test_an_id_that_is_a_number_is_hidden_as_number_and_as_text() -> None:
    masks = Pseudonyms(KEY, ["/user/id"])
    users = masks.users({"User": {"ID": 90210}})
    assert users == {90210}
    mask = masks.masking(users, ())
    told = mask.json({"a": 90210, "b": [902100, True], "c": "no 90210"})
    assert told == {"a": masks.of("90210"), "b": [902100, True], "c": f"no {masks.of('90210')}"}


def test_users_are_found_where_the_pointers_say_whatever_the_case() -> None:
    masks = Pseudonyms(KEY, DEFAULT_POINTERS)
    request = {
        "headers": {
            "authorization": {"$bearer": {"claims": {"sub": "A"}}},
            "x-ff-user": ["B", "C", "", None, True],
        },
        "user": "D",
    }
    assert masks.users(request) == {"A", "B", "C"}
    assert masks.users("text") == masks.users(None) == set()


@pytest.mark.parametrize("word", ["allow", "deny", "decision", "value", "by", "who"])
def test_an_id_that_is_a_word_of_the_decision_changes_nothing_that_is_judged(word: str) -> None:
    def twist(user: str) -> str:
        return "deny" if user == "allow" else "same"

    plain = judged(["somebody"], Echo("new", lambda _: "same"), old=Echo("old", lambda _: "same"))
    same = judged([word], Echo("new", lambda _: "same"), old=Echo("old", lambda _: "same"))
    assert plain.passed
    assert same.passed
    open_eyed = judged([word], Echo("new", twist), key=None)
    hidden = judged([word], Echo("new", twist))
    assert hidden.passed == open_eyed.passed
    assert hidden.opened == open_eyed.opened
    for one, other_ in zip(hidden.divergences, open_eyed.divergences, strict=True):
        assert (one.rule, one.broken, one.count) == (other_.rule, other_.broken, other_.count)
        if other_.field in {"/decision", "/value"}:
            assert one.field == other_.field


def test_a_divergence_that_needs_the_very_id_is_shown_without_it_and_not_saved(
    tmp_path: Path,
) -> None:
    found = judged(
        ["josé"], Echo("new", lambda text: text.encode("ascii", "ignore").decode()), save=tmp_path
    )
    (example,) = found.examples[:1]
    assert example.saved is not None
    assert example.saved.startswith("nowhere: it does not show with pseudonyms")
    assert list(tmp_path.iterdir()) == []
    unsaved = judged(["josé"], Echo("new", lambda text: text.encode("ascii", "ignore").decode()))
    assert unsaved.examples[0].saved is None


def test_ids_that_were_not_captured_or_are_asked_for_are_shown() -> None:
    assert "U1001" in judged(["U1001"], Echo("new", other), captured=False).to_text()
    assert "U1001" in judged(["U1001"], Echo("new", other), key=None).to_text()


def test_users_are_found_in_tokens_anywhere_and_in_all_records_of_a_world() -> None:
    known = Pseudonyms(b"k")
    token = {"$bearer": {"claims": {"sub": "ann"}}}
    assert known.users({"token": token, "more": [{"deep": [token]}], "$bearer": 1}) == {"ann"}
    assert known.users([token]) == {"ann"}
    assert known.users("ann") == set()
    world = {
        "user_overrides": [{"user_id": "a"}],
        "writes": [{"user_id": "b"}, {"tenant_id": "t"}],
        "corrupt": [{"user_id": "c"}],
    }
    assert known.users_of_world(world) == {"a", "b", "c"}
