"""Chromium, which opens the page of a pod as people do, and notes everything that should not happen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

CHROMIUM = "/usr/bin/chromium"
"""Of the Debian package (testbed/sandbox/debian.py)."""
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = (1280, 900), (390, 844)

_WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation',
    event => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(entry => Math.round(entry.duration))))
    .observe({ type: 'longtask', buffered: true });
"""


@contextmanager
def chromium(domain: str) -> Iterator["Chromium"]:
    """Chromium for as long as the block runs."""
    with sync_playwright() as playwright:
        yield Chromium(playwright, domain)


class Chromium:
    """A browser that finds the domain on this machine, and one that runs no scripts."""

    def __init__(self, playwright: Playwright, domain: str) -> None:
        self._playwright = playwright
        self._domain = domain
        self._browser = self._launch()

    @contextmanager
    def tab(
        self,
        *,
        scheme: str = "http",
        port: int = 8080,
        size: tuple[int, int] = WIDE,
        scripts: bool = True,
        **options: Any,  # noqa: ANN401 - Playwright's
    ) -> Iterator["Tab"]:
        """A tab of its own profile, and at its end the checks of what must never happen."""
        browser = self._browser if scripts else self._launch("--blink-settings=scriptEnabled=false")
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        try:
            made = Tab(context.new_page(), f"{scheme}://{self._domain}:{port}")
            yield made
            assert made.hosts <= {f"{self._domain}:{port}"}, made.hosts
            assert made.complaints == [], made.complaints
            assert not scripts or made.violations() == [], made.violations()
        finally:
            context.close()
            if not scripts:
                browser.close()

    def _launch(self, *options: str) -> Browser:
        """It runs as root, so without its own sandbox."""
        rules = f"--host-resolver-rules=MAP {self._domain} 127.0.0.1"
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", rules, *options]
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
        assert result["passes"]
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
