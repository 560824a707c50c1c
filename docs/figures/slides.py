"""`fastconv steps '1 2 3' '2 3 4'` as a figure."""

import matplotlib.pyplot as plt

from fastconv.cli.slides import Sliding
from fastconv.cli.steps_plot import fill

fill(plt.figure(layout="constrained"), Sliding.parse("1 2 3", "2 3 4", "full", correlate=False))
