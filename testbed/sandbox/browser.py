"""Chromium, which opens the page of a pod as people do, and notes everything that should not happen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.story import expect
from testbed.waiting import eventually

CHROMIUM = "/usr/bin/chromium"
"""Of the Debian package (testbed/sandbox/debian.py)."""
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = (1280, 900), (390, 844)
_SHOWN_WITHIN_SECONDS = 10

_WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation',
    event => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(entry => Math.round(entry.duration))))
    .observe({ type: 'longtask', buffered: true });
"""


@contextmanager
def chromium(origin: str, *, address: str | None = None) -> Iterator["Chromium"]:
    """Chromium for as long as the block runs.

    Args:
        origin: Scheme, host and perhaps port of the pages.
        address: Where the host is, if DNS does not know.
    """
    with sync_playwright() as playwright:
        yield Chromium(playwright, origin, address)


class Chromium:
    """A browser with scripts, and one without."""

    def __init__(self, playwright: Playwright, origin: str, address: str | None) -> None:
        self._playwright = playwright
        self._origin = origin
        self._rules = f"MAP {urlsplit(origin).hostname} {address}" if address else ""
        self._browser = self._launch()

    @contextmanager
    def tab(self, *, size: tuple[int, int] = WIDE, scripts: bool = True, **options: Any) -> Iterator["Tab"]:  # noqa: ANN401 - Playwright's
        """A tab of its own profile, and at its end the checks of what must never happen.

        Raises:
            SandboxError: The page has asked another host, complained, or broken its own policy.
        """
        browser = self._browser if scripts else self._launch("--blink-settings=scriptEnabled=false")
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        try:
            made = Tab(context.new_page(), self._origin)
            yield made
            expect(made.hosts <= {urlsplit(self._origin).netloc}, f"the page asked {made.hosts}")
            expect(not made.complaints, f"the page complains: {made.complaints}")
            violations = made.violations() if scripts else []
            expect(not violations, f"the page breaks its own policy: {violations}")
        finally:
            context.close()
            if not scripts:
                browser.close()

    def _launch(self, *options: str) -> Browser:
        """It runs as root, so without its own sandbox."""
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", f"--host-resolver-rules={self._rules}", *options]
        return self._playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


@dataclass
class Tab:
    """A page in the browser, with what it has requested and complained about."""

    page: Page
    origin: str
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("console", self._note)
        self.page.add_init_script(_WATCH)

    def open(self, path: str = "/") -> Page:
        """Load a path, until the view it names is there."""
        self.page.goto(f"{self.origin}{path}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait for the answers that the page is waiting for."""
        self.page.wait_for_load_state("networkidle")

    def shows(self, selector: str, text: str) -> None:
        """Wait for a text in an element.

        Raises:
            SandboxError: It is not there in time; the message has what is there.
        """
        element = self.page.locator(selector)
        if not eventually(lambda: text in element.inner_text(), _SHOWN_WITHIN_SECONDS, pause_seconds=0.1):
            raise SandboxError(f"{selector} of {self.page.url} shows {element.inner_text()!r} and not {text!r}")

    @property
    def hosts(self) -> set[str]:
        """The hosts of everything that was requested."""
        return {str(urlsplit(url).netloc) for url in self.requested}

    def violations(self) -> list[str]:
        """What the Content-Security-Policy has refused."""
        found: list[str] = self.page.evaluate("violations")
        return found

    def accessibility(self) -> list[str]:
        """What axe finds wrong, one line for each element."""
        # The policy of the page refuses a script element, so axe comes by the debugger's protocol.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        options = {"runOnly": {"type": "tag", "values": WCAG}}
        result: dict[str, Any] = self.page.evaluate("options => axe.run(document, options)", options)
        expect(result["passes"], "axe has looked at nothing")
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
            for each in result["violations"]
            for node in each["nodes"]
        ]

    def _note(self, message: Any) -> None:  # noqa: ANN401 - Playwright's console message
        # A browser reports each 404 itself; tests look at requests.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")


def texts(page: Page, selector: str) -> list[str]:
    """The text of each element, with single spaces."""
    return [re.sub(r"\s+", " ", text).strip() for text in page.locator(selector).all_inner_texts()]
