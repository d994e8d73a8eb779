"""The page in a real browser. Run where one is required: `make browser`, and in CI."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.report.html import page, trend_page
from pytest_ffparity.report.trend import points

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DARK = "--blink-settings=preferredColorScheme=0"
SAMPLES = ["passing", "failing", "waived", "large"]


class Browser:
    """A headless Chromium, started anew for each look."""

    def __init__(self, folder: Path) -> None:
        found = next(filter(None, map(shutil.which, NAMES)), None)
        assert found is not None, f"no browser: install one of {', '.join(NAMES)}"
        self._program = found
        self._folder = folder

    def _look(self, text: str, *options: str) -> bytes:
        file = self._folder / "page.html"
        file.write_text(text, "utf-8")
        command = [
            self._program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            f"--user-data-dir={self._folder / 'profile'}",
            *options,
            file.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        return done.stdout

    def dom(self, text: str) -> str:
        """Give the document as the browser has understood it."""
        return self._look(text, "--dump-dom").decode()

    def picture(self, text: str, size: str, *options: str) -> bytes:
        """Give a picture of a window of that size."""
        shot = self._folder / "shot.png"
        shot.unlink(missing_ok=True)
        self._look(text, f"--window-size={size}", f"--screenshot={shot}", *options)
        return shot.read_bytes()


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_verdict_is_read_in_the_browser(
    request: pytest.FixtureRequest, browser: Browser, sample: str
) -> None:
    report: Any = request.getfixturevalue(sample)
    dom = browser.dom(page(report))
    found = re.search(r'<strong id="verdict" data-verdict="([a-z_]+)">([^<]+)</strong>', dom)
    assert found is not None
    assert found[1] == report.ruling.verdict
    assert found[2] == report.ruling.verdict.upper().replace("_", " ")
    assert "<script" not in dom


@pytest.mark.parametrize("sample", ["passing", "failing", "large"])
def test_wide_narrow_and_dark_are_three_pictures(
    request: pytest.FixtureRequest, browser: Browser, sample: str
) -> None:
    text = page(request.getfixturevalue(sample))
    wide = browser.picture(text, "1280,1600")
    narrow = browser.picture(text, "500,1600")
    dark = browser.picture(text, "1280,1600", DARK)
    assert len({wide, narrow, dark}) == 3
    # An empty window of this size is a few kilobytes.
    assert min(len(wide), len(narrow), len(dark)) > 20_000


def test_the_trend_is_drawn(browser: Browser, passing: Any, failing: Any) -> None:
    runs = points([(Path("a.json"), passing), (Path("b.json"), failing)])
    text = trend_page(runs)
    assert "1 of 2 GO" in browser.dom(text)
    assert len(browser.picture(text, "1280,900")) > 20_000
