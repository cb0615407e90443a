"""Lay the values of `studies/full.yaml` over `studies/params.yaml`.

python -m studies.full   # git checkout studies/params.yaml brings the small setting back
"""

from pathlib import Path

import yaml

from contracts.files import replacing
from pipeline.checking import read_yaml
from pipeline.models import merged
from studies.settings import PARAMS, Studies

FULL = Path("studies/full.yaml")


def lay_over() -> None:
    """Write the full setting."""
    content = merged(read_yaml(PARAMS), read_yaml(FULL)) | {"damages": read_yaml(FULL)["damages"]}
    Studies.model_validate(content)
    with replacing(PARAMS) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    print(f"{PARAMS} has the full setting; git checkout {PARAMS} brings the small one back")


if __name__ == "__main__":
    lay_over()
