"""Reverberates a recording block by block, as a sound card would ask for it.

    python examples/reverb_stream.py

The recording is PyWavelets' ECG, played as a sound in stereo; the room is made here: two seconds
of noise at 8 kHz that dies away by 60 dB, another one for each ear. Blocks come in whatever
length the sound card likes. What is heard is what one call for the whole recording gives.
"""

import numpy as np
import pywt.data
from numpy.typing import NDArray

import fastconv

RATE = 8_000
SECONDS = 2.0


def room(ear: int) -> NDArray[np.float64]:
    """An impulse response: the direct sound, then 16,000 taps of noise, 60 dB down at the end."""
    t = np.arange(int(SECONDS * RATE)) / RATE
    tail = np.random.default_rng(ear).standard_normal(t.size) * 10 ** (-3 * t / SECONDS)
    tail[0] = 10.0
    return tail / np.linalg.norm(tail)


def main() -> None:
    dry = np.tile(pywt.data.ecg().astype(np.float64), 40)
    blocks = np.random.default_rng(0).choice([64, 100, 256, 441, 512], size=dry.size)
    worst = 0.0
    for ear in (0, 1):
        stream = fastconv.Convolver(room(ear)).stream()
        wet, at = [], 0
        for length in blocks:
            if at >= dry.size:
                break
            wet.append(stream.push(dry[at : at + length]))
            at += length
        wet.append(stream.flush())
        heard, whole = np.concatenate(wet), fastconv.convolve(dry, room(ear))
        worst = max(worst, float(np.abs(heard - whole).max() / np.abs(whole).max()))
    print(f"{dry.size:,} samples in {len(wet) - 1} blocks, {room(0).size:,} taps an ear")
    print(f"beside one call for all of it: off by {worst:.1e} of the peak")
    assert worst < 1e-13


if __name__ == "__main__":
    main()
