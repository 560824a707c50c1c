"""One thread for everyone, set before numpy is imported; the grid on the path; the stamp."""

import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["FASTCONV_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent))


def pytest_report_header():
    from entrants import stamp as peers
    from suite import MISSING, PEERS
    from summary import stamp

    return stamp() + peers(PEERS, MISSING)
