"""One thread for everyone, set before numpy is imported; the grid's modules on the path."""

import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["FASTCONV_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent))
