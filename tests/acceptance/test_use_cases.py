"""The use cases UC-B4-01 to 05 and 12 to 14, each through the gate on both real paths."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
EXAMPLES = "jwt_claim_examples.json"
OFF = {"FF_ALLOW_DEV_HEADERS": "false"}

Answers = dict[str, list[dict[str, Any]]]


def more_vectors() -> dict[str, Any]:
    """UC-B4-03 in other environments: no dev fallback, and an endpoint that publishes the key."""
    document = json.loads((VECTORS / EXAMPLES).read_text())
    (fourth,) = [v for v in document["vectors"] if v["id"] == "JWT-EX-04"]
    held = document["worlds"]["key-held-unreachable"]
    published = {**held["jwks"], "reachable": True}
    document["worlds"] |= {
        "no-fallback": {"$extends": "key-held-unreachable", "environment": OFF},
        "published": {"$extends": "key-held-unreachable", "jwks": published},
    }
    document["vectors"] = [
        {**fourth, "id": f"MORE-{world}", "world": world} for world in ("no-fallback", "published")
    ]
    return dict(document)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What each path answered to each vector, in one gate run that passed."""
    folder = tmp_path_factory.mktemp("use-cases")
    (folder / "vectors").mkdir()
    matrix = json.loads((VECTORS / "cutover_parity_matrix.json").read_text())
    matrix["required"].remove("PT-08")
    vectors = json.loads((VECTORS / "parity_test_matrix.json").read_text())
    vectors["vectors"] = [vector for vector in vectors["vectors"] if vector["id"] != "PT-08"]
    (folder / "vectors/seventeen.json").write_text(json.dumps(vectors))
    (folder / "vectors/cutover_parity_matrix.json").write_text(json.dumps(matrix))
    (folder / "vectors/examples.json").write_text((VECTORS / EXAMPLES).read_text())
    (folder / "vectors/more.json").write_text(json.dumps(more_vectors()))
    (folder / "pytest.ini").write_text(
        "[pytest]\n"
        "ffparity_vectors = vectors/seventeen.json vectors/examples.json vectors/more.json\n"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "FFPARITY_"))}
    command = [sys.executable, "-m", "pytest", "--ffparity", "--ffparity-report=report.json"]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
    report = json.loads((folder / "report.json").read_text())
    return {
        vector["id"]: [path["decision"] for path in vector["paths"].values()]
        for vector in report["vectors"]
    }


def fixture_of(example: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give an example's token in words, and the key set and environment of its world."""
    document = json.loads((VECTORS / EXAMPLES).read_text())
    (vector,) = [v for v in document["vectors"] if v["id"] == example]
    own = document["worlds"][vector["world"]]
    base = document["worlds"].get(own.get("$extends"), {})
    return vector["request"]["headers"]["Authorization"]["$bearer"], {**base, **own}


def auth_of(decision: dict[str, Any]) -> tuple[Any, ...]:
    meta = decision["meta"]
    return meta["auth_mode"], meta["auth_source"], decision["warnings"]


def test_UC_B4_01_verified_token_happy_path(answers: Answers) -> None:
    token, world = fixture_of("JWT-EX-01")
    assert "faults" not in token
    assert world["jwks"]["published"] == [token["key"]]
    assert len(answers["JWT-EX-01"]) == 2
    for decision in answers["JWT-EX-01"]:
        assert auth_of(decision) == ("verified", "jwt", [])
        assert (decision["decision"], decision["http_status"]) == ("allow", 200)


def test_UC_B4_02_decode_only_fallback_when_the_jwks_is_unreachable(answers: Answers) -> None:
    _, world = fixture_of("JWT-EX-02")
    assert (world["jwks"]["held"], world["jwks"]["reachable"]) == (None, False)
    assert world["environment"]["FF_ALLOW_DEV_HEADERS"] == "true"
    assert len(answers["JWT-EX-02"]) == 2
    for decision in answers["JWT-EX-02"]:
        warnings = ["auth_not_verified", "jwks_unreachable"]
        assert auth_of(decision) == ("decode-only", "jwt-unverified", warnings)


@pytest.mark.parametrize("vector", ["JWT-EX-04", "MORE-no-fallback", "MORE-published"])
def test_UC_B4_03_an_invalid_signature_denies_whatever_the_environment(
    answers: Answers, vector: str
) -> None:
    token, world = fixture_of("JWT-EX-04")
    assert token["faults"] == ["signature"]
    assert world["jwks"]["held"] == [token["key"]]
    assert len(answers[vector]) == 2
    for decision in answers[vector]:
        assert (decision["http_status"], decision["code"]) == (401, "signature_invalid")
        assert (decision["decision"], decision["value"]) == ("deny", None)
        assert auth_of(decision) == (None, None, [])


def test_UC_B4_04_an_expired_token_is_refused(answers: Answers) -> None:
    token, _ = fixture_of("JWT-EX-03")
    assert token["faults"] == ["expired"]
    assert len(answers["JWT-EX-03"]) == 2
    for decision in answers["JWT-EX-03"]:
        assert (decision["http_status"], decision["code"]) == (401, "token_expired")
        assert decision["decision"] == "deny"


def test_UC_B4_05_a_kid_miss_with_a_failed_refresh_falls_back_to_decode_only(
    answers: Answers,
) -> None:
    token, world = fixture_of("JWT-EX-07")
    assert token["key"] not in world["jwks"]["held"]
    assert world["jwks"]["reachable"] is False
    assert len(answers["JWT-EX-07"]) == 2
    for decision in answers["JWT-EX-07"]:
        warnings = ["auth_not_verified", "kid_not_found"]
        assert auth_of(decision) == ("decode-only", "jwt-unverified", warnings)


def test_UC_B4_12_a_sensitive_flag_with_a_valid_approval_under_verified_mode(
    answers: Answers,
) -> None:
    assert len(answers["PT-04"]) == 2
    for decision in answers["PT-04"]:
        assert decision["decision"] == "allow"
        assert decision["meta"]["auth_mode"] == "verified"
        assert decision["meta"]["approval_ref"] == "APP-100001-abcd"
        assert decision["meta"]["ttl_state"] == "valid"


def test_UC_B4_13_a_sensitive_flag_with_an_expired_approval_is_denied(answers: Answers) -> None:
    assert len(answers["PT-05"]) == 2
    for decision in answers["PT-05"]:
        assert (decision["decision"], decision["reason"]) == ("deny", "approval_expired")
        assert decision["meta"]["auth_mode"] == "verified"
        assert decision["meta"]["approval_ref"] == "APP-100004-expired"
        assert decision["meta"]["ttl_state"] == "expired"


def test_UC_B4_14_a_sensitive_flag_denies_a_caller_who_is_not_verified(answers: Answers) -> None:
    assert len(answers["PT-07"]) == 2
    for decision in answers["PT-07"]:
        assert (decision["decision"], decision["reason"]) == ("deny", "auth_not_verified")
        assert decision["meta"]["auth_mode"] == "decode-only"
        assert decision["meta"]["approval_ref"] == "APP-100001-abcd"
        assert decision["meta"]["ttl_state"] is None
