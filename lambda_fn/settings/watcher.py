"""The watcher, as an operator sets it. Pure."""

from lambda_fn.settings.table import Table


class Watcher(Table):
    """The watcher: a second Lambda, which follows the images in ECR through its events."""

    deletions: bool = True
    """Whether every pod refuses an image within two minutes of its deletion in ECR, and removes it from its cache.
    `frontdoor forget` needs it, too. With `false`, a pod serves a deleted image until it has asked ECR for it again.
    Events of a registry in another account or region have to be forwarded: docs/operations.md. When it is
    turned on again, the first event lifts what was refused before, except what `frontdoor forget` named.
    """
