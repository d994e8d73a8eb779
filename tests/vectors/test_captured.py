from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.vectors.captured import read_capture
from pytest_ffparity.vectors.errors import VectorFileError

HEAD, CLAIMS = "eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJVMSJ9"
TOKEN = f"{HEAD}.{CLAIMS}.c2lnbmF0dXJl"


def capture(folder: Path, *lines: Any) -> Path:
    path = folder / "c.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    return path


def test_requests_are_read_in_their_order(tmp_path: Path) -> None:
    lines = [{"id": "é 1", "request": {"n": 1.0}}, {"id": "2", "request": None, "expected": {}}]
    assert read_capture(capture(tmp_path, *lines)) == lines


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        (
            {"id": "b", "request": {"headers": {"Authorization": f"Bearer {TOKEN}"}}},
            "/request/headers/Authorization",
        ),
        ({"id": "b", "request": {"cookies": ["a", f"session_{TOKEN}"]}}, "/request/cookies/1"),
        ({"id": "b", "request": {f"k{TOKEN}": 1}}, "/request"),
        ({"id": "b", "request": TOKEN[:-9]}, "/request"),
        ({"id": "b", "request": 1, "expected": {"echo": TOKEN}}, "/expected/echo"),
        ({"id": f"b {TOKEN}", "request": 1}, "/id"),
    ],
    ids=["header", "cookie", "key", "unsigned", "expected", "id"],
)
def test_a_real_token_is_refused_with_its_line_and_not_shown(
    line: dict[str, Any], pointer: str, tmp_path: Path
) -> None:
    path = capture(tmp_path, {"id": "a", "request": 1}, line)
    with pytest.raises(VectorFileError) as raised:
        read_capture(path)
    (problem,) = raised.value.problems
    assert (problem.line, problem.pointer) == (2, pointer)
    assert "found a token or another secret, expected its claims" in problem.sentence
    assert TOKEN[:20] not in str(raised.value)
    assert '{"$bearer": {"claims": {...}}}' in str(raised.value)


@pytest.mark.parametrize(
    ("request_", "pointer"),
    [
        ({"headers": {"authorization": "Bearer opaque-0f3a9c"}}, "/request/headers/authorization"),
        ({"headers": {"Authorization": "Basic dXNlcjpwYXNz"}}, "/request/headers/Authorization"),
        ({"headers": {"Cookie": ["a=1", "session=0f3a9c0f3a9c"]}}, "/request/headers/Cookie/1"),
        ({"cookie": {"session": "0f3a9c0f3a9c0"}}, "/request/cookie/session"),
        ({"X-API-Key": "0f3a9c0f3a9c0"}, "/request/X-API-Key"),
        ({"auth": ["bearer 0f3a9c0f3a9c"]}, "/request/auth/0"),
    ],
    ids=["opaque", "basic", "cookies", "cookie", "api key", "elsewhere"],
)
def test_other_secrets_are_refused_and_not_shown(
    request_: Any, pointer: str, tmp_path: Path
) -> None:
    with pytest.raises(VectorFileError) as raised:
        read_capture(capture(tmp_path, {"id": "a", "request": request_}))
    (problem,) = raised.value.problems
    assert problem.pointer == pointer
    assert "0f3a9c" not in str(raised.value)
    assert "dXNlcjpwYXNz" not in str(raised.value)


@pytest.mark.parametrize(
    "request_",
    [
        {"headers": {"Authorization": "", "Cookie": "theme=dark"}},
        {"plan": "Basic subscription", "note": "bearer of news"},
        {"headers": {"Authorization": {"$bearer": {"claims": {"sub": "a-user-of-usual-length"}}}}},
    ],
    ids=["empty", "words", "claims"],
)
def test_what_is_no_secret_is_read(request_: Any, tmp_path: Path) -> None:
    line = {"id": "a", "request": request_}
    assert read_capture(capture(tmp_path, line)) == [line]


def test_claims_in_the_place_of_a_token_are_welcome(tmp_path: Path) -> None:
    line = {"id": "a", "request": {"Authorization": {"$bearer": {"claims": {"sub": "eyJ.x"}}}}}
    assert read_capture(capture(tmp_path, line)) == [line]


@pytest.mark.parametrize(
    "line",
    [{"request": 1}, {"id": "", "request": 1}, {"id": "a"}, {"id": "a", "request": 1, "x": 1}, []],
    ids=str,
)
def test_a_line_of_another_shape_is_refused(line: Any, tmp_path: Path) -> None:
    with pytest.raises(VectorFileError) as raised:
        read_capture(capture(tmp_path, line))
    assert raised.value.problems[0].line == 1


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    path = capture(tmp_path, {"id": "a", "request": 1}, {"id": "a", "request": 2})
    with pytest.raises(VectorFileError) as raised:
        read_capture(path)
    (problem,) = raised.value.problems
    assert problem.line == 2
    assert problem.sentence == "found what line 1 is about again, expected each once"


@pytest.mark.parametrize("found", ['ann@example.org says "hi", expected nothing', 1234567.5])
def test_what_a_broken_line_holds_is_not_quoted(found: Any, tmp_path: Path) -> None:
    kind = "text" if isinstance(found, str) else "number"
    with pytest.raises(VectorFileError) as raised:
        read_capture(capture(tmp_path, {"id": "a", "request": 1, "expected": found}))
    (problem,) = raised.value.problems
    assert problem.pointer == "/expected"
    assert problem.sentence == f"found a {kind}, expected an object"
