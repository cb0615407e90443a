"""What pages show that stands elsewhere: figures, kept benchmark results, variants, patterns.

`<!-- newest training -->` becomes the newest result of that name in `benchmarks/results/`,
up to the end of its first table; `<!-- variants -->` a table of the switches;
`<!-- patterns -->` a table of the patterns of missing data;
`<!-- settings extractors.settings.TextSettings -->` a table of the fields;
`<!-- study compare-sample -->` a table of that name in `metrics/studies/`;
`<!-- held out -->` what encoders say of sentences of a kind they were not tuned on.

In Markdown the path of a figure is the one that also works where the file is read in the
repository.
"""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from lnln.missing.patterns import PATTERNS
from lnln.models.lnln.settings import VARIANTS, Switches

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: Any) -> Files:
    """Add the figures as files of the site."""
    for path in sorted((ROOT / "plots").glob("*.png")):
        files.append(File.generated(config, f"plots/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Point at the site's figures, and fill in tables."""
    markdown = re.sub(r"\]\(\.\./((?:\.\./)*plots/)", r"](\1", markdown)
    markdown = re.sub(r"<!-- newest (\S+) -->", lambda match: _newest(match[1]), markdown)
    markdown = re.sub(r"<!-- study (\S+) -->", lambda match: _study(match[1]), markdown)
    markdown = re.sub(r"<!-- settings (\S+) -->", lambda match: _settings(match[1]), markdown)
    markdown = markdown.replace("<!-- patterns -->", _patterns())
    markdown = markdown.replace("<!-- held out -->", _held_out())
    return markdown.replace("<!-- variants -->", _variants())


def _newest(name: str) -> str:
    """Machine and first table of the newest result; an error where there is none."""
    path = max((ROOT / "benchmarks" / "results").glob(f"????-??-??-{name}.md"))
    _, machine, table, *_ = path.read_text("utf-8").split("\n\n")
    return f"{table.strip()}\n\n*{machine.strip('.')} (`benchmarks/results/{path.name}`).*"


def _study(name: str) -> str:
    """Return a table that a study wrote; an error where it is missing."""
    found = [*(ROOT / "metrics" / "studies").glob(f"*/{name}.md")]
    if len(found) != 1:
        raise FileNotFoundError(f"metrics/studies has no table {name}.md: run make studies")
    return found[0].read_text("utf-8").strip()


def _held_out() -> str:
    """Lay out what was judged on sentences of an unseen kind: at r = 0, and the mean over r."""
    lines = ["| Encoder | Kind not seen | Rater | MAE, r = 0 | Corr, r = 0 | MAE, mean over r |"]
    lines.append("|---" * 6 + "|")
    for path in sorted((ROOT / "metrics" / "language").glob("*.json")):
        base, _, kind = path.stem.partition("-")
        judged = json.loads(path.read_text("utf-8"))
        judged.pop("sentences")
        for rater, rows in judged.items():
            corr = "undefined" if rows[0]["corr"] is None else f"{rows[0]['corr']:.3f}"
            mean = f"{sum(r['mae'] for r in rows) / len(rows):.3f}" if len(rows) > 1 else "-"
            cells = (base, kind.replace("_", " "), rater, f"{rows[0]['mae']:.3f}", corr, mean)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _variants() -> str:
    lines = ["| Switch | " + " | ".join(f"`{name}`" for name in VARIANTS) + " |"]
    lines.append("|---" * (1 + len(VARIANTS)) + "|")
    for switch in Switches._fields:
        values = (getattr(switches, switch) for switches in VARIANTS.values())
        lines.append(f"| {switch} | " + " | ".join(str(v).replace("_", " ") for v in values) + " |")
    return "\n".join(lines)


def _patterns() -> str:
    lines = ["| Pattern | Loses |", "|---|---|"]
    lines += (f"| `{name}` | {pattern.loses} |" for name, pattern in PATTERNS.items())
    return "\n".join(lines)


def _settings(name: str) -> str:
    module, _, settings = name.rpartition(".")
    lines = ["| Field | Default | Meaning |", "|---|---|---|"]
    for field, about in getattr(import_module(module), settings).model_fields.items():
        if about.description:
            lines.append(f"| `{field}` | `{about.default!r}` | {about.description} |")
    return "\n".join(lines)
