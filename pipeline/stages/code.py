"""Stage `code`: of every stage, the hash of each file whose code can change what it writes.

The other stages depend on their file in `outputs/code`, and not on source files: a change of a
comment, a docstring or a message runs this stage again, which writes the same bytes, and no other.
"""

import ast
import hashlib
import json
from pathlib import Path

from contracts.code import ROOT, digests, files_of
from contracts.files import replacing
from contracts.schemas import MODALITIES
from extractors.fingerprint import HARMLESS
from pipeline.paths import CODE

# Imported by stages, and yet nothing that they write depends on it.
WITHOUT = HARMLESS | {
    "contracts/environment.py": "what libraries send and where they write, not what comes out",
    "contracts/files.py": "how a file is replaced",
    "extractors/assets/libraries.py": "a check that passes or stops the stage",
    "lnln/__init__.py": "names what the package offers",
    "lnln/checkpoints/card.py": "a text about a model, which a stage of its own writes",
    "lnln/checkpoints/hub.py": "where a model is, not what is in it",
    "lnln/settings.py": "the values are params",
    "lnln/threads.py": "how the work is done",
    "lnln/training/fingerprint.py": "where an interrupted training goes on from",
    "lnln/training/resume.py": "where an interrupted training goes on from",
    "lnln/training/telling.py": "what is told of a training",
    "pipeline/checking.py": "the values are params",
    "pipeline/params.py": "the values are params",
    "pipeline/paths.py": "the paths are in dvc.yaml",
    "pipeline/report/tables.py": "tables that are printed",
    "pipeline/stage.py": "what is told",
    "studies/settings.py": "the values are params",
}
_OTHER = "another modality's extractor"
_LATER = "tables that come after this stage"
_KEYS = "names of results in the cache, not the results"
# The same, of single stages, or of one modality or model of theirs.
WITHOUT_FOR = {
    "dataset": {"lnln/missing/patterns.py": "names that this stage does not write"},
    "ingest": {"contracts/features.py": _LATER, "extractors/fingerprint.py": _KEYS},
    "transcribe": {"contracts/features.py": _LATER, "extractors/fingerprint.py": _KEYS},
    "extract": {"extractors/observation.py": "a table that is printed"},
    "extract-text": {"extractors/audio": _OTHER, "extractors/vision": _OTHER},
    "extract-audio": {
        "extractors/text": _OTHER,
        "extractors/vision": _OTHER,
        "extractors/words.py": _OTHER,
    },
    "extract-vision": {
        "extractors/text": _OTHER,
        "extractors/audio": _OTHER,
        "extractors/words.py": _OTHER,
    },
    "incomplete": {"extractors/assets": "where BERT is, which this stage does not ask for"},
    "train": {
        "lnln/missing/patterns.py": "what valid is made incomplete by, which its masks say",
        "lnln/missing/rules.py": "the same",
        "pipeline/models.py": "the values are params",
    },
}
# Stages of language_adapters/dvc.yaml, which are frozen: they depend on no file of this one's.
FROZEN = {"tune", "held_out"}
# Counted with a stage's own module, whatever is left out: what nothing imports by name, and what
# stands for another stage's values but for this one's output.
AND = {
    "card": ["lnln/checkpoints/card.py", "lnln/checkpoints/card_template.md"],
    "dataset": ["extractors/settings.py", "lnln/settings.py", "pipeline/params.py"],
    "report": [
        f"pipeline/report/page/templates/{name}"
        for name in ("page.html.jinja", "parts.html.jinja", "style.css")
    ],
}


def sources(root: Path = ROOT) -> dict[str, list[str]]:
    """Find the code that each stage begins with; what that imports counts as well.

    Parameters
    ----------
    root : Path
        Folder of the packages.

    Returns
    -------
    dict of str to list of str
        Files and folders, by the name of a file in `outputs/code`: that of a stage, behind which
        stands the modality that `extract` makes features of, or the model that is trained or used.
    """
    models = _models(root)
    variants: dict[str, dict[str, list[str]]] = {
        "extract": {modality: [f"extractors/{modality}"] for modality in MODALITIES},
        "train": models,
        "sweep": models,
    }
    roots: dict[str, list[str]] = {}
    for file in files_of("pipeline/stages", root):
        stage = Path(file).stem
        if stage in variants:
            roots |= {f"{stage}-{name}": [file, *own] for name, own in variants[stage].items()}
        elif _is_stage(file, root):
            roots[stage] = [file, *AND.get(stage, [])]
    for file in files_of("studies", root):
        if _is_stage(file, root):
            roots[f"studies-{Path(file).stem}"] = [file]
    if "dataset" in roots:  # settles the settings of all models
        roots["dataset"] += [file for _, file in models.values()]
    return roots


def _models(root: Path) -> dict[str, list[str]]:
    """Modules that `lnln.models.registry` finds at run time, by the folder of the model."""
    folders = {Path(file).parent for file in files_of("lnln/models", root)}
    names = sorted(folder.name for folder in folders if folder.parent.name == "models")
    return {
        name: [f"lnln/models/{name}/model.py", f"lnln/models/{name}/settings.py"] for name in names
    }


def _is_stage(file: str, root: Path) -> bool:
    """Whether a module has a `main`, and is not this one."""
    body = ast.parse((root / file).read_bytes()).body
    mains = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    return bool(mains) and Path(file).stem not in {"code", *FROZEN}


def hashes(root: Path = ROOT) -> dict[str, dict[str, str]]:
    """Hash the code of each stage, file by file.

    Parameters
    ----------
    root : Path
        Folder of the packages.
    """
    return {
        name: digests(files, without=left_out(name), root=root)
        for name, files in sources(root).items()
    }


def left_out(name: str) -> dict[str, str]:
    """Say what is left out of the code of a stage, or of one modality or model of it, and why."""
    stage, _, _ = name.partition("-")
    return WITHOUT | WITHOUT_FOR.get(stage, {}) | WITHOUT_FOR.get(name, {})


def adapters(root: Path = ROOT) -> dict[str, str]:
    """Hash the language adapters that lie beside the code, file by file."""
    files = sorted((root / "language_adapters").glob("*/*"))
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def main() -> None:
    """Write a JSON file per stage, and remove those of stages that are no more."""
    by_stage = hashes()
    by_stage["extract-text"] |= adapters()
    for name, files in by_stage.items():
        with replacing(CODE / f"{name}.json") as temporary:
            temporary.write_text(json.dumps(files, indent=2) + "\n", "utf-8")
    for path in CODE.glob("*.json"):
        if path.stem not in by_stage:
            path.unlink()


if __name__ == "__main__":
    main()
