from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.net.environment import ConfigurationError

ENV = {"FF_JWKS_URL": "https://idp.test/keys", "FF_JWT_ISSUER": "https://a, https://b"}


def test_the_defaults() -> None:
    settings = AuthSettings.from_env(ENV)
    assert settings.issuers == dict.fromkeys(["https://a", "https://b"], "https://idp.test/keys")
    assert settings.audience == "pty-feature-flags"
    assert not settings.allow_dev_headers


@pytest.mark.parametrize("value", ["1", "TRUE", " true ", "yes", "", "True"])
def test_only_the_exact_word_switches_the_fallback_on(value: str) -> None:
    assert not AuthSettings.from_env({**ENV, "FF_ALLOW_DEV_HEADERS": value}).allow_dev_headers
    assert AuthSettings.from_env({**ENV, "FF_ALLOW_DEV_HEADERS": "true"}).allow_dev_headers


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/keys", "http://localhost/k", "http://[::1]/k", "https://x/k"]
)
def test_http_is_for_this_machine(url: str) -> None:
    assert set(AuthSettings.from_env({**ENV, "FF_JWKS_URL": url}).issuers.values()) == {url}


@pytest.mark.parametrize(
    "change",
    [
        *({"FF_JWKS_URL": url} for url in ("", "x", "http://idp.test/k", "file:///k", "ftp://h/k")),
        *(
            {"FF_JWKS_URL": url}
            for url in ("data:x", "https://", "https://h:x/", "http://10.0.0.1")
        ),
        *({"FF_JWKS_URL": "https://u:hunter2@h/k"}, {"FF_JWKS_URL": "https://h/k?token=hunter2"}),
        *({"FF_JWT_ISSUER": ""}, {"FF_JWT_ISSUER": " , "}),
        {"FF_ENV": "production", "FF_ALLOW_DEV_HEADERS": "true"},
        {"FF_ENV": " Production", "FF_ALLOW_DEV_HEADERS": "true"},
        {"FF_ENV": "production", "FF_JWKS_URL": "http://127.0.0.1/k"},
        {"FF_JWKS_URL": "https://a/keys,https://b/keys,https://c/keys"},
        {"FF_JWT_ISSUER": "https://a,https://a"},
        *({"FF_JWT_AUDIENCE": name} for name in (" ", "mine ", "\tmine")),
        *({"FF_JWT_ONLY_ACCESS_TOKENS": word} for word in ("1", "True", "yes", " true")),
        *({"FF_JWT_ALGORITHMS": ","}, {"FF_JWT_MAX_BYTES": "0"}),
        *({"FF_JWT_ALGORITHMS": alg} for alg in ("none", "HS256", "RS256,HS512", "rs256")),
        *({"FF_JWT_MAX_LIFETIME": number} for number in ("0", "-1", "1h", "9" * 20)),
        *({"FF_JWT_MAX_BYTES": number} for number in ("10", "99999999", "٣")),
        *({"FF_CA_FILE": name} for name in ("/nowhere.pem", __file__)),
    ],
)
def test_unsafe_settings_refuse_to_start(change: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="FF_") as caught:
        TokenAuthenticator(
            AuthSettings.from_env({**ENV, **change}), clock=lambda: datetime.now(UTC)
        )
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("numbers", [{"leeway": 61}, {"leeway": -1}, {"overlap": -1}])
def test_numbers_that_undo_a_check_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        AuthSettings(issuers=dict.fromkeys(["a"], "https://x"), **numbers)  # type: ignore[arg-type]


def test_each_issuer_has_the_url_in_its_place() -> None:
    env = {**ENV, "FF_JWKS_URL": "https://a/keys , https://b/keys"}
    assert AuthSettings.from_env(env).issuers == {
        "https://a": "https://a/keys",
        "https://b": "https://b/keys",
    }


def test_what_the_environment_may_narrow() -> None:
    settings = AuthSettings.from_env(
        {
            **ENV,
            "FF_JWT_AUDIENCE": "mine",
            "FF_JWT_ALGORITHMS": "ES256, EdDSA",
            "FF_JWT_ONLY_ACCESS_TOKENS": "true",
            "FF_JWT_MAX_LIFETIME": "3600",
            "FF_JWT_MAX_BYTES": "4096",
        }
    )
    assert settings.audience == "mine"
    assert settings.algorithms == {"ES256", "EdDSA"}
    assert settings.only_access_tokens
    assert (settings.max_lifetime, settings.max_token_bytes) == (3600, 4096)


def test_settings_made_in_code_are_held_to_the_same() -> None:
    with pytest.raises(ConfigurationError, match="production"):
        AuthSettings(issuers={"a": "https://x"}, allow_dev_headers=True, production=True)
    with pytest.raises(ConfigurationError, match="https"):
        AuthSettings(issuers={"a": "http://127.0.0.1/k"}, production=True)
    with pytest.raises(ConfigurationError, match="https"):
        AuthSettings(issuers={"a": "file:///keys"})
