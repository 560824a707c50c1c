"""`fastconv steps '1 2 0; 4 1 0; 0 1 1' '1 2; 3 4' --mode valid` as a figure."""

import matplotlib.pyplot as plt

from fastconv.cli.slides import Sliding
from fastconv.cli.steps_plot import fill

a, v = "1 2 0; 4 1 0; 0 1 1", "1 2; 3 4"
fill(plt.figure(layout="constrained"), Sliding.parse(a, v, "valid", correlate=False))
