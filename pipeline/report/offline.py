"""A template for `dvc plots show` that opens offline.

python -m pipeline.report.offline

DVC's own page loads vega, which draws it, from another machine. This writes `.dvc/plots.html`, with
vega inside, and names it in `.dvc/config.local`. Git ignores both: a clone without them shows plots
as DVC does.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from contracts.files import replacing

DVC = Path(".dvc")
NAME = "plots.html"

# `{plot_divs}` is filled in by DVC, which puts links to its scripts at `{scripts}` alone.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>Plots</title>
<link rel="icon" href="data:,">
<style>
body { font-family: system-ui, sans-serif; }
img { max-width: 100%; }
</style>
<script>
JAVASCRIPT
</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""
_FILLED_IN = re.compile(r"\{(scripts|plot_divs|refresh_tag)\}")


def template(javascript: str) -> str:
    """Return DVC's template with JavaScript inside.

    Raises
    ------
    ValueError
        The JavaScript holds what DVC would fill in.
    """
    if _FILLED_IN.search(javascript):
        raise ValueError("the JavaScript holds a placeholder of DVC: use another vl-convert-python")
    return _PAGE.replace("JAVASCRIPT", javascript.replace("</script", r"<\/script"))


def bundle() -> str:
    """Return vega, vega-lite and vega-embed as one script.

    Of vega-lite's versions the newest 5, for which DVC's plots are written.

    Raises
    ------
    ImportError
        vl-convert-python, which carries them, is not installed.
    """
    import vl_convert

    versions = [v for v in vl_convert.get_vegalite_versions() if v.startswith("5.")]
    newest = max(versions, key=lambda v: int(v.partition(".")[2]))
    untyped: Any = vl_convert  # whose types ask for a snippet, which its code does not
    script: str = untyped.javascript_bundle(vl_version=newest)
    return script


def main() -> None:
    """Write the template, and tell DVC of it."""
    if not DVC.is_dir():
        sys.exit("error: no folder .dvc here: run it in the project's folder")
    try:
        javascript = bundle()
    except ImportError:
        sys.exit("error: vl-convert-python is not installed: pip install 'lnln[plots]'")
    with replacing(DVC / NAME) as temporary:
        temporary.write_text(template(javascript), "utf-8")
    # A name is relative to .dvc.
    told = ["config", "--local", "plots.html_template", NAME]
    subprocess.run([sys.executable, "-m", "dvc", *told], check=True)
    print(f"`dvc plots show` opens offline now: {DVC / NAME}")


if __name__ == "__main__":
    main()
