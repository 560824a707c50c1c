"""In how many ways one die, two, three and ten show each sum."""

import matplotlib.pyplot as plt

import fastconv

die = [1, 1, 1, 1, 1, 1]
figure, panels = plt.subplots(1, 4, figsize=(8, 2.2), layout="constrained")
ways, thrown = die, 1
for axes, dice in zip(panels, (1, 2, 3, 10), strict=True):
    while thrown < dice:
        ways, thrown = fastconv.convolve(ways, die), thrown + 1
    axes.bar(range(dice, 6 * dice + 1), ways, color="tab:blue")
    axes.set_title(f"{dice} dice" if dice > 1 else "a die", fontsize="medium")
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("sum")
panels[0].set_ylabel("ways")
