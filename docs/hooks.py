"""Pages show the figures in `plots/`, which lies beside `docs/`: on the site they are copied in.

In Markdown the path is the one that also works where the file is read in the repository.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PLOTS = Path(__file__).parents[1] / "plots"


def on_files(files: Files, config: Any) -> Files:
    """Add the figures as files of the site."""
    for path in sorted(PLOTS.glob("*.png")):
        files.append(File.generated(config, f"plots/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """`../plots/` of the repository is `plots/` of the site."""
    return re.sub(r"\]\(\.\./((?:\.\./)*plots/)", r"](\1", markdown)
