from __future__ import annotations

import pytest

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
        *({"FF_JWKS_URL": "https://u:secret@h/k"}, {"FF_JWKS_URL": "https://h/k?token=secret"}),
        *({"FF_JWT_ISSUER": ""}, {"FF_JWT_ISSUER": " , "}),
        {"FF_ENV": "production", "FF_ALLOW_DEV_HEADERS": "true"},
        {"FF_ENV": " Production", "FF_ALLOW_DEV_HEADERS": "true"},
        {"FF_ENV": "production", "FF_JWKS_URL": "http://127.0.0.1/k"},
    ],
)
def test_unsafe_settings_refuse_to_start(change: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="FF_") as caught:
        AuthSettings.from_env({**ENV, **change})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("numbers", [{"leeway": 61}, {"leeway": -1}, {"overlap": -1}])
def test_numbers_that_undo_a_check_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        AuthSettings(issuers=dict.fromkeys(["a"], "https://x"), **numbers)  # type: ignore[arg-type]
