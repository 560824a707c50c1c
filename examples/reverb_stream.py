"""
Reverberating a recording as a stream
=====================================

What a room does to a sound is a convolution with its echo. A sound card does not wait for the end
of the sound: it asks block by block, in whatever length it likes, and wants each block back at
once.
"""

import wave
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import signal

import fastconv

# %%
# Seven seconds of music that pygame carries for its own examples: 8 bits a sample, 128 is silence.

music = Path(find_spec("pygame").origin).parent / "examples" / "data" / "house_lo.wav"
with wave.open(str(music)) as file:
    rate = file.getframerate()
    samples = np.frombuffer(file.readframes(file.getnframes()), np.uint8)
dry = (samples - 128.0) / 128

# %%
# The room is made here: two seconds of noise that dies away by 60 dB, another one for each ear.

SECONDS = 2.0


def room(ear):
    """An impulse response: the direct sound, then noise, 60 dB down at the end."""
    t = np.arange(int(SECONDS * rate)) / rate
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
above.plot(np.arange(dry.size) / rate, dry, color="tab:blue", linewidth=0.5)
above.set_title("dry")
below.plot(np.arange(wet[0].size) / rate, wet[0], color="tab:orange", linewidth=0.5)
below.set(title="wet, left ear", xlabel="seconds")
plt.show()
