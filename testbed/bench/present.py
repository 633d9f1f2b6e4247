"""Tables, pictures and the document, from the results of a run."""

from pathlib import Path

from testbed.bench import plots
from testbed.bench.results import Results
from testbed.bench.tables import blocks
from testbed.generated import filled, written

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


def present(results: Results, folder: Path) -> None:
    """Write the tables and the pictures of a run beside its JSON."""
    parts = [f"## {name}\n\n{text}" for name, text in blocks(results).items()]
    (folder / "results.md").write_text("# Results\n\n" + "\n\n".join(parts) + "\n", encoding="utf-8")
    plots.draw(results, folder)


def refresh_document(results: Results, document: Path = DOCUMENT) -> None:
    """Put the figures of a run into the document, unless its plan leaves out what the document shows."""
    if not results.published:
        return
    text = document.read_text(encoding="utf-8")
    document.write_text(filled(text, written(text) | blocks(results)), encoding="utf-8")
