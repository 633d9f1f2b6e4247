"""The page for people at the domain's root, as an operator sets it. Pure."""

from typing import Self

from pydantic import model_validator

from lambda_fn.settings.table import Table


class Page(Table):
    """The page that a browser shows at the domain."""

    enabled: bool = True
    """Whether a browser that opens the domain gets a page: how to pull, the contact, and whether the proxy serves.
    Other clients get 404 there in any case.
    """
    catalogue: bool = False
    """Whether the page lists the repositories of `registries`, with their tags, sizes, platforms and labels. Every
    client that reaches the proxy can then read these names.
    """
    findings: bool = False
    """Whether the catalogue counts the findings of ECR's image scans. Anonymous clients then learn of vulnerabilities.
    """

    @model_validator(mode="after")
    def _each_part_has_a_place(self) -> Self:
        if self.catalogue and not self.enabled:
            raise ValueError("catalogue = true needs enabled = true: the page shows the catalogue")
        if self.findings and not self.catalogue:
            raise ValueError("findings = true needs catalogue = true: the catalogue shows the findings")
        return self
