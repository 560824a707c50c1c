"""
Reverberating a recording as a stream
=====================================

What a room does to a sound is a convolution with its echo. A sound card does not wait for the end
of the sound: it asks block by block, in whatever length it likes, and wants each block back at
once.
"""

import matplotlib.pyplot as plt
import numpy as np
import pywt.data
from scipy import signal

import fastconv

# %%
# The recording is an ECG played as a sound. The room is made here: two seconds of noise at 8 kHz
# that dies away by 60 dB, another one for each ear.

RATE = 8_000
SECONDS = 2.0
dry = np.tile(pywt.data.ecg().astype(np.float64), 40)


def room(ear):
    """An impulse response: the direct sound, then 16,000 taps of noise, 60 dB down at the end."""
    t = np.arange(int(SECONDS * RATE)) / RATE
    tail = np.random.default_rng(ear).standard_normal(t.size) * 10 ** (-3 * t / SECONDS)
    tail[0] = 10.0
    return tail / np.linalg.norm(tail)


# %%
# A stream for each ear. A push returns as many samples as it was given, without delay; after the
# last, `flush` returns the echo that is left.

lengths = np.random.default_rng(0).choice([64, 100, 256, 441, 512], size=dry.size).cumsum()
blocks = np.split(dry, lengths[lengths < dry.size])
wet = []
for ear in (0, 1):
    stream = fastconv.Convolver(room(ear)).stream()
    wet.append(np.concatenate([*(stream.push(block) for block in blocks), stream.flush()]))
print(f"{dry.size:,} samples in {len(blocks)} blocks, {room(0).size:,} taps an ear")

# %%
# The usual way has the whole sound before it begins. Both are the same.

for ear in (0, 1):
    whole = signal.oaconvolve(dry, room(ear))
    off = np.abs(wet[ear] - whole).max() / np.abs(whole).max()
    print(f"ear {ear}, beside one call for all of it: off by {off:.1e} of the peak")
    assert off < 1e-13

# %%

fig, (above, below) = plt.subplots(2, 1, figsize=(9, 4.5), sharex=True, layout="constrained")
above.plot(np.arange(dry.size) / RATE, dry, color="tab:blue", linewidth=0.5)
above.set_title("dry")
below.plot(np.arange(wet[0].size) / RATE, wet[0], color="tab:orange", linewidth=0.5)
below.set(title="wet, left ear", xlabel="seconds")
plt.show()
