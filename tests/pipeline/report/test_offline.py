"""`dvc plots show` has a template that loads nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.report import offline


def test_template_keeps_what_dvc_fills_in_and_has_no_place_for_its_links() -> None:
    page = offline.template("let x = '</script>';")
    assert "{plot_divs}" in page and "{refresh_tag}" in page
    assert "{scripts}" not in page
    assert page.count("</script>") == 1  # the end of the script is its own


def test_javascript_that_dvc_would_change_is_refused() -> None:
    with pytest.raises(ValueError, match="placeholder"):
        offline.template("let x = '{plot_divs}';")


def test_without_the_package_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"no folder \.dvc"):
        offline.main()
    (tmp_path / ".dvc").mkdir()
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(SystemExit, match="pip install"):
        offline.main()


def test_fresh_clone_names_no_template(root: Path) -> None:
    """DVC takes the name of a file that is not there for a template, and fails."""
    assert "html_template" not in (root / ".dvc" / "config").read_text("utf-8")
    ignored = (root / ".dvc" / ".gitignore").read_text("utf-8").split()
    assert {f"/{offline.NAME}", "/config.local"} <= set(ignored)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC repository with one plot."""
    pytest.importorskip("vl_convert", reason="pip install 'lnln[plots]'")
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], check=True)
    (folder / "mae.csv").write_text("rate,lnln\n0,1.2\n0.5,1.3\n0.9,1.6\n", "utf-8")
    (folder / "dvc.yaml").write_text("plots: [{mae.csv: {x: rate, y: lnln}}]\n", "utf-8")
    return folder


@pytest.mark.slow
def test_plots_open_offline(repository: Path, browse) -> None:
    offline.main()
    subprocess.run([sys.executable, "-m", "dvc", "plots", "show", "-q"], check=True)
    page = browse(repository / "dvc_plots" / "index.html")
    assert page.requests == []
    assert page.complaints == []
    sizes = page.evaluate(
        "[...document.querySelectorAll('svg.marks, canvas.marks')]"
        ".map(e => e.getBoundingClientRect()).map(r => [r.width, r.height])"
    )
    assert sizes and all(width > 50 and height > 50 for width, height in sizes)
