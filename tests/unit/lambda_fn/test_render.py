"""A template gets its inputs and nothing else, and every refusal names the line and what is allowed."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from k8s_manifests import configuration
from lambda_fn.contract.errors import TemplateError
from lambda_fn.contract.warnings import Warnings
from lambda_fn.job.mirror_inputs import MirrorEntry
from lambda_fn.job.render import OUTPUT_LIMIT_BYTES, render
from lambda_fn.job.route_inputs import Depth, FolderEntry, RouteEntry, Routes
from lambda_fn.job.template_inputs import NAMES, Inputs, Upstream
from lambda_fn.settings import Cache, Page, Timeouts
from lambda_fn.settings.budget import Budget

INPUTS = Inputs(
    domain="registry.shrd.example.net",
    resolver="[fd00::a]",
    registries=[
        Upstream("1.dkr.example", replica="", tags_of_replica=False),
        Upstream("2.dkr.example", replica="", tags_of_replica=False),
    ],
    repository_name="[a-z]+",
    routes=Routes(
        entries=[RouteEntry(0, "1.dkr.example", strip_folders=1, prefix="images/", differs=True)],
        exact=[("base", 0)],
        renamed=[("tools", "platform/tools", 0)],
        depths=[Depth(1, "^(?<folders_1>(?:[^/]+/){1})", [FolderEntry("team/", [("^team/.*-prod$", 0)], "")])],
        everywhere=FolderEntry("", [], "0"),
        differ=True,
        strips=[1],
        longest_name=5,
        count=2,
    ),
    mirrors=[
        MirrorEntry(1, "2.dkr.example", "hub", "docker.io", "^https://cdn.example/", "", "hub/", is_renamed=False)
    ],
    ecr_names=[("1.dkr.example", "1.dkr.example"), ("2.dkr.example", "2.dkr.example")],
    layer_hosts=["1.s3.example", "2.s3.example"],
    layer_choices=["1.s3.example|2.s3.example"],
    layer_urls="^https://s3.example/",
    tls=True,
    client_address="forwarded",
    hides_clients=False,
    trusted_proxies=["10.1.0.0/24"],
    drain_seconds=3600,
    cache=Cache(size_gib=5, tag_seconds=7),
    timeouts=Timeouts(ecr_seconds=9),
    budget=Budget(rate=8),
    blobs="stream",
    contact="#registry-help",
    warnings=Warnings(stale_tag="stale", error="error"),
    metrics=False,
    page=Page(catalogue=True),
    memory_for_large_pulls_mib=6,
    worker_connections=8,
)


def rendered(template: str, inputs: Inputs = INPUTS) -> str:
    return render(template, inputs, source="nginx.conf.j2 of ConfigMap tpl")


def test_a_template_has_every_name() -> None:
    template = (
        "{{ domain }} {{ resolver }} {{ drain_seconds }} {{ cache.size_gib }} {{ cache.tag_seconds }}"
        " {{ timeouts.ecr_seconds }} {{ blobs }} {{ contact }} {{ layer_hosts | join(',') }} {{ layer_choices[0] }}"
        " {{ layer_urls }}"
        " {{ warnings.stale_tag }} {{ warnings.error }} {{ memory_for_large_pulls_mib }} {{ worker_connections }}"
        " {{ budget.client_rate }}"
        "{% if tls %} tls{% endif %}{% if not metrics %} without metrics{% endif %}"
        "{% if page.catalogue %} catalogue{% endif %}"
        "{% for r in registries %} {{ loop.index }} {{ r.host }}{% endfor %}"
        "{% for e in routes.entries %} {{ e.number }} {{ e.host }} {{ e.strip_folders }} {{ e.prefix }}{% endfor %}"
        "{% for name, number in routes.exact %} {{ name }} {{ number }}{% endfor %}"
    )
    assert rendered(template) == (
        "registry.shrd.example.net [fd00::a] 3600 5 7 9 stream #registry-help 1.s3.example,2.s3.example"
        " 1.s3.example|2.s3.example ^https://s3.example/ stale error 6 8 4 tls without metrics catalogue"
        " 1 1.dkr.example 2 2.dkr.example 0 1.dkr.example 1 images/ base 0"
    )


def test_a_template_cannot_reach_beyond_the_settings_of_the_cache() -> None:
    with pytest.raises(TemplateError, match="model_config"):
        rendered("{{ cache.model_config }}")


def test_lines_that_hold_only_a_block_leave_no_trace_and_the_last_newline_stays() -> None:
    assert rendered("a\n  {% if tls %}\nb\n  {% endif %}\nc\n") == "a\nb\nc\n"


def test_macros_and_filters_work() -> None:
    template = (
        "{% macro up(name) %}[{{ name | upper }}]{% endmacro %}{{ up(registries | map(attribute='host') | first) }}"
    )
    assert rendered(template) == "[1.DKR.EXAMPLE]"


def test_nothing_is_escaped() -> None:
    assert rendered("\"{{ '<&>' }}\"") == '"<&>"'


def test_the_same_inputs_give_the_same_text() -> None:
    template = "{% for r in registries | sort(attribute='host', reverse=true) %}{{ r.host }}{% endfor %}"
    assert {rendered(template) for _ in range(5)} == {"2.dkr.example1.dkr.example"}


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("a\n{{ domian }}", 2, "the name 'domian' is unknown"),
        ("a\n\n{% if false %}{{ later }}{% endif %}", 3, "the name 'later' is unknown"),
        ("{% if tsl is defined %}a{% endif %}", 1, "the name 'tsl' is unknown"),
        ("{{ range(10) }}", 1, "the name 'range' is unknown"),
        ("{{ lipsum() }}", 1, "the name 'lipsum' is unknown"),
        ("{{ namespace() }}", 1, "the name 'namespace' is unknown"),
        ("a\n{{ registries[0].hots }}", 2, "has no attribute 'hots'"),
        ("a\n{{ registries[7].host }}", 2, "no element 7"),
        ("{% for %}", 1, "Expected an expression"),
        ("a\n{% if tls %}", 2, "Unexpected end of template"),
        ("{{ domain | center(80) }}", 1, "No filter named 'center'"),
        ("{{ domain | default('') }}", 1, "No filter named 'default'"),
        ("{{ registries | random }}", 1, "No filter named 'random'"),
        ("a\n{{ domain.upper() }}", 2, "access to attribute 'upper' of 'str' object is unsafe"),
        ("{{ registries.append(1) }}", 1, "access to attribute 'append' of 'list' object is unsafe"),
        ("{{ routes.exact.clear() }}", 1, "access to attribute 'clear' of 'list' object is unsafe"),
        ("{{ ''.__class__.__mro__ }}", 1, "access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ registries[0].__init__.__globals__ }}", 1, "access to attribute '__init__' of 'Upstream' object"),
        ("{{ registries | map('attr', '__class__') | join }}", 1, "No filter named 'attr'"),
        ("{{ registries | map(attribute='__class__') | join }}", 1, "'__class__' of 'Upstream' object is unsafe"),
        ("{{ 'x' * 1000000000 }}", 1, "* is not available in a template"),
        ("{{ 9 ** 9 ** 9 }}", 1, "** is not available in a template"),
        ("{{ '%1000000000d' % 1 }}", 1, "% is not available in a template"),
        ("a\n{{ 1 / 0 }}", 2, "division by zero"),
        ("{% include 'other' %}", 1, "no loader"),
        ("{{ registries }}", 1, "a list cannot be printed"),
        ("a\n{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", 2, "calls itself, too deeply"),
    ],
)
def test_what_a_template_must_not_do_is_refused_with_its_line(template: str, line: int, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(template)
    message = str(caught.value)
    assert message.startswith(f"nginx.conf.j2 of ConfigMap tpl, line {line}: ")
    assert reason in message
    assert ", ".join(NAMES) in message


@pytest.mark.parametrize("template", ["", "  \n\n", "{% if not tls %}a{% endif %}", "{# nothing #}"])
def test_an_empty_configuration_is_refused(template: str) -> None:
    with pytest.raises(TemplateError, match=r"renders to nothing.*\. Fix: apply the charts again"):
        rendered(template)


def test_a_runaway_loop_is_stopped_at_what_a_config_map_holds() -> None:
    loops = "".join(f"{{% for a{n} in domain %}}" for n in range(6))
    with pytest.raises(TemplateError, match=r"more than 900,000 bytes, and .* Fix: "):
        rendered(f"{loops}{'x' * 1000}{'{% endfor %}' * 6}")


def test_a_configuration_at_the_limit_is_rendered() -> None:
    assert len(rendered("x" * OUTPUT_LIMIT_BYTES)) == OUTPUT_LIMIT_BYTES
    with pytest.raises(TemplateError, match=r"more than 900,000 bytes, and .* Fix: "):
        rendered("ü" * (OUTPUT_LIMIT_BYTES // 2 + 1))


@pytest.mark.parametrize(("location_seconds", "unknown_seconds"), [(1, 60), (600, 3)])
def test_nothing_is_forgotten_before_its_time(location_seconds: int, unknown_seconds: int) -> None:
    cache = Cache(location_seconds=location_seconds, unknown_seconds=unknown_seconds)
    found = re.search(
        r"keys_zone=redirects:\S+ max_size=\S+\s+inactive=(\d+)s",
        rendered(configuration.template(), replace(INPUTS, cache=cache)),
    )
    assert found
    assert int(found[1]) >= max(location_seconds, unknown_seconds)


@pytest.mark.parametrize(("size_gib", "slice_mib", "zone"), [(8, 4, "32m"), (400, 1, "103m"), (800, 4, "128m")])
def test_the_zone_for_the_keys_of_blobs_follows_the_size_of_the_cache(size_gib: int, slice_mib: int, zone: str) -> None:
    cache = Cache(size_gib=size_gib, slice_mib=slice_mib)
    assert re.findall(
        r"keys_zone=blobs:(\S+) max_size=(\S+)", rendered(configuration.template(), replace(INPUTS, cache=cache))
    ) == [(zone, f"{size_gib}g")]


@pytest.mark.parametrize(("characters", "size"), [(54, "128"), (63, "512")])
def test_two_host_names_of_ecr_fit_into_a_hash(characters: int, size: str) -> None:
    pairs = [("1.dkr.example", "1.dkr.example"), ("2" * characters, "1" * characters)]
    text = rendered(configuration.template(), replace(INPUTS, ecr_names=pairs))
    assert re.findall(r"map_hash_bucket_size (\d+);", text) == [size]


@pytest.mark.parametrize(
    ("route", "repository", "way", "upstream"),
    [
        ("1", "hub/app", "/-/import", "docker.io"),
        ("0", "team/app", "", ""),
        ("", "unknown", "", ""),
        ("renamed", "base", "/-/import", "docker.io"),
        ("renamed", "default", "/-/import", "docker.io"),
        ("renamed", "tools", "", ""),
    ],
)
def test_a_renamed_repository_of_a_mirror_is_imported_like_the_others(
    route: str, repository: str, way: str, upstream: str
) -> None:
    renamed = [("base", "hub/base", 1), ("default", "hub/other", 1), ("tools", "platform/tools", 0)]
    entries = [*INPUTS.routes.entries, RouteEntry(1, "2.dkr.example", strip_folders=0, prefix="", differs=False)]
    routes = replace(INPUTS.routes, entries=entries, renamed=renamed)
    text = rendered(configuration.template(), replace(INPUTS, routes=routes))
    known = {"$route": route, "$repository": repository}
    assert looked_up(text, "$import_way", known) == way
    assert looked_up(text, "$upstream_registry", known) == upstream


def looked_up(text: str, variable: str, known: Mapping[str, str]) -> str:
    """The value of a variable of nginx that hashes make of others."""
    if variable in known:
        return known[variable]
    (found,) = re.finditer(rf"map (\$\w+) {re.escape(variable)} \{{(.*?)\}}", text, re.DOTALL)
    entries: dict[str, str] = dict(re.findall(r"(\S+) (\S+);", found[2].replace("\\", "")))
    value = entries.get(looked_up(text, found[1], known), entries.get("default", "")).strip('"')
    return looked_up(text, value, known) if value.startswith("$") else value
