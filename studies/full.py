"""Lay the values of `studies/full.yaml` over `studies/params.yaml`.

python -m studies.full   # git checkout studies/params.yaml brings the small setting back
"""

from pathlib import Path

from ruamel.yaml import YAML

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
        YAML().dump(content, temporary)
    print(f"{PARAMS} has the full setting; git checkout {PARAMS} brings the small one back")


if __name__ == "__main__":
    lay_over()
