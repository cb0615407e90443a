"""`lnln degrade`: damaged copies of clips, of a dataset another dataset."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.arguments import Offline, Workers
from pipeline.commands.problems import report
from pipeline.paths import DATASETS
from pipeline.telling import say


def degrade(
    source: Annotated[
        Path, typer.Argument(help="A clip, a folder of clips, or a dataset such as data/mosi.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write, such as data/noisy.")],
    damage: Annotated[
        list[str],
        typer.Option(
            help="NAME=SEVERITY, as often as you like; applied in this order. noise, pink_noise "
            "and music: SNR in dB; clipping, black, frozen, covered_face and word_errors: a share "
            "from 0 to 1; band_limit: Hz; blur: deviation in frame heights; low_light: stops."
        ),
    ],
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    split: Annotated[
        str | None, typer.Option(help="Damage this split of a dataset only; the others are linked.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a folder that this command wrote before.")
    ] = False,
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Damage raw clips: noise, black frames, a covered face, errors of speech recognition.

    The same seed gives the same files. Clips that cannot be read are left out and listed in
    quarantine.csv; damage.json says what was done to each clip. Of data/<name> a dataset
    data/<new> is made, with a section of datasets.yaml copied from that of <name>. A call that was
    interrupted goes on where it was when it is repeated.

    Example: lnln degrade data/sample --out data/noisy --damage noise=0 --damage black=0.5
    """
    import rich

    from extractors import Session, SetupError
    from extractors.damage.degrading import degrade as write
    from extractors.damage.registry import parse
    from extractors.datasets.labels import DatasetError
    from extractors.settings import RunSettings
    from pipeline.checking import ParamsError
    from pipeline.commands.sections import copy_section
    from pipeline.report.damages import damage_table

    try:
        damages = parse(damage)
        with Session(RunSettings(workers=workers, offline=offline)) as session:
            done = write(source, out, damages, session, seed=seed, split=split, replace=force)
    except (OSError, DatasetError, SetupError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"interrupted; the same command goes on from {out}.partial")
    rich.print(damage_table(damages, done.clips))
    say(f"{out}: {len(done.clips)} clips; {done.unchanged} files are links to unchanged ones")
    warnings = list(done.warnings)
    if _is_dataset(source) and _is_dataset(out):
        try:
            added = copy_section(DATASETS, source.name, out.name, _described(source, damages, seed))
            say(f"{DATASETS}: section {out.name!r} {'added' if added else 'was there already'}")
            say(f"  dvc exp run -S dataset={out.name}")
        except (OSError, ParamsError) as error:
            warnings.append(str(error))
    elif (out / "label.csv").exists():
        say(
            f"to use it as a dataset: it must lie at data/<new>, and {DATASETS} needs a section "
            "<new>, a copy of that of the source; of data/<name> this command makes both"
        )
    report(done.quarantine, warnings)


def _described(source: Path, damages: dict[str, float], seed: int) -> str:
    severities = " ".join(f"--damage {name}={severity:g}" for name, severity in damages.items())
    return f"lnln degrade {source.as_posix()} {severities} --seed {seed}"


def _is_dataset(folder: Path) -> bool:
    """Whether a folder is where a dataset of this project lies."""
    data = Path("data").absolute()
    return (
        (folder / "label.csv").is_file() and folder.absolute().parent == data and DATASETS.exists()
    )
