"""The files of the page: what is escaped, where the contact leads, and how much a first view loads."""

import re

import pytest

from k8s_manifests.page_files import contact_link, page_files

DOMAIN = "registry.shrd.example.net"
FIRST_VIEW_BYTES = 100_000


def page(contact: str | None = None, *, catalogue: bool = True) -> dict[str, str]:
    return page_files(domain=DOMAIN, contact=contact, catalogue=catalogue)


def test_a_contact_is_text_whatever_it_holds() -> None:
    html = page("<img src=x onerror=alert(1)> & <script>")["index.html"]
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &lt;script&gt;" in html
    assert "<img src=x" not in html


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("https://wiki.example.net/registry?a=1&b=2", "https://wiki.example.net/registry?a=1&b=2"),
        ("platform@example.net", "mailto:platform@example.net"),
        ("#registry in the chat", None),
        ("see https://wiki.example.net", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("a@b?bcc=c@d", None),
    ],
)
def test_a_contact_leads_to_a_web_page_or_a_mailbox_only(contact: str, link: str | None) -> None:
    assert contact_link(contact) == link


def test_the_link_of_a_contact_is_escaped() -> None:
    html = page("https://wiki.example.net/?a=1&b=<2>")["index.html"]
    assert 'href="https://wiki.example.net/?a=1&amp;b=&lt;2&gt;" rel="noreferrer"' in html


def test_without_a_contact_none_is_mentioned() -> None:
    assert "Contact" not in page()["index.html"]


def test_nothing_stands_inline_and_no_other_host_is_named() -> None:
    html = page("on-call@example.net")["index.html"]
    assert re.findall(r"<style|style=|\son\w+=|javascript:", html) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    for name, text in page().items():
        code = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
        hosts = set(re.findall(r"""(?:https?:|["'(])//([\w.-]+)""", code))
        assert hosts <= {DOMAIN, "www.w3.org"}, name


def test_the_pull_commands_need_no_script() -> None:
    html = page(catalogue=False)["index.html"]
    # The option has an element of its own, so that no line breaks after its hyphens.
    assert html.count(" <span>--version</span> ") == 1
    html = html.replace("<span>--version</span>", "--version")
    for command in (
        f"docker pull {DOMAIN}/REPOSITORY:TAG",
        f"nerdctl pull {DOMAIN}/REPOSITORY:TAG",
        f"helm pull oci://{DOMAIN}/REPOSITORY --version VERSION",
        f"oras pull {DOMAIN}/REPOSITORY:TAG",
        f"FROM {DOMAIN}/REPOSITORY:TAG",
        f"image: {DOMAIN}/REPOSITORY:TAG",
    ):
        assert f"<code>{command}</code>" in html


def test_a_page_without_a_catalogue_has_none_of_its_parts() -> None:
    files = page(catalogue=False)
    assert not {"catalogue.js", "repositories.js", "repository.js"} & files.keys()
    assert 'id="search"' not in files["index.html"]
    assert 'data-catalogue="off"' in files["index.html"]


def test_every_module_is_loaded_at_once() -> None:
    for catalogue in (True, False):
        files = page(catalogue=catalogue)
        loaded = set(re.findall(r'(?:href|src)="/-/page/(\w+\.js)"', files["index.html"]))
        assert loaded == {name for name in files if name.endswith(".js")}
        imported = {found for text in files.values() for found in re.findall(r"'\./(\w+\.js)'", text)}
        assert imported <= loaded | ({"repositories.js", "repository.js"} if not catalogue else set())


def test_a_first_view_is_small() -> None:
    assert sum(len(text.encode()) for text in page("x" * 200).values()) < FIRST_VIEW_BYTES
