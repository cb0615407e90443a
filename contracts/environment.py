"""What the libraries below find in the environment, before any of them is imported.

Every package of this project imports this first, so that it holds in commands, in stages, in
workers and where a package is imported by somebody else's program; child processes inherit it.
"""

import os
from collections.abc import Mapping

from contracts.private_folders import private_folder

# Whatever was set before: nothing is sent, and nothing is written in order to be sent.
NO_TELEMETRY: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "FASTAPI_OTEL_AUTO_CONFIGURE": "false",  # it would report requests to a collector
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ITERATIVE_DO_NOT_TRACK": "1",  # GTO, which DVC brings
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime, for voice activity detection
    "OTEL_SDK_DISABLED": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    # A cluster that `ray start` began reports even that nothing is reported.
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9/",
}
os.environ.update(NO_TELEMETRY)

# Torch makes this folder when an optimizer is made, by default in the temporary folder, and leaves
# it there. Nothing here is compiled by torch.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(private_folder("torchinductor")))
