"""Runs pyannote's segmentation network over a recording; imported only when a recording is segmented.

The network filters each ten-second window's raw samples first (SincNet, Ravanelli & Bengio 2018, arXiv 1808.00158), a
third of its work, and windows overlap. A filter is linear and the window's normalisation only scales and shifts its
input, so filtering is done once over the recording, and scale and shift are put in where each window is pooled: the
same numbers (to 1e-4 in the log-probabilities) for less work. On a CPU windows run on as many threads as asked, one
each, because the recurrent layers gain little from more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from meetings.speech.audio import SAMPLE_RATE, map_audio, read_audio
from meetings.speech.segmentation import (
    FRAME_SAMPLES,
    STEP_FRAMES,
    WINDOW,
    Segmentation,
    window_count,
)

WINDOW_SAMPLES = round(WINDOW * SAMPLE_RATE)
STEP_SAMPLES = STEP_FRAMES * FRAME_SAMPLES
FILTER_STRIDE = 10  # samples, SincNet's first layer
POOL = 3
POOLED_FRAMES = 5325  # of one window after the first pooling
BATCH = {"cpu": 8, "cuda": 64}


class Segmenter:
    """pyannote's `PyanNet` (its published weights and class), window by window over a recording."""

    def __init__(self, weights: Path, device: str) -> None:
        from pyannote.audio import Model

        model: Any = Model.from_pretrained(str(weights))
        self.model = model.eval().requires_grad_(False).to(device)
        self._device = device
        sincnet = self.model.sincnet
        self._filters: Tensor = sincnet.conv1d[0].filterbank.filters().detach()
        # What each filter makes of a constant: the window's shift goes through it.
        self._constant = self._filters.sum(dim=-1)

    def windows(self, samples: Tensor, count: int) -> Tensor:
        """Probabilities (count, 589, 7) of windows one step apart; `samples` holds all of them in [-1, 1]."""
        filtered = functional.conv1d(samples[None, None], self._filters, stride=FILTER_STRIDE)
        highest = functional.max_pool1d(filtered, POOL, POOL)[0]
        lowest = -functional.max_pool1d(-filtered, POOL, POOL)[0]
        pooled = []
        norm = self.model.sincnet.wav_norm1d
        for index in range(count):
            start = index * STEP_SAMPLES
            variance, mean = torch.var_mean(samples[start : start + WINDOW_SAMPLES], unbiased=False)
            scale = norm.weight / torch.sqrt(variance + norm.eps)
            shift = (norm.bias - scale * mean) * self._constant
            first = start // (FILTER_STRIDE * POOL)
            part = slice(first, first + POOLED_FRAMES)
            # max |scale x + shift| of three values, from the largest and the smallest of them.
            pooled.append(torch.maximum(scale * highest[:, part] + shift, -(scale * lowest[:, part] + shift)))
        return self._rest(torch.stack(pooled))

    def _rest(self, x: Tensor) -> Tensor:
        """What follows the first pooling, as pyannote's `SincNet.forward` and `PyanNet.forward` have it."""
        sincnet, model = self.model.sincnet, self.model
        x = functional.leaky_relu(sincnet.norm1d[0](x))
        for convolution, pool, norm in zip(sincnet.conv1d[1:], sincnet.pool1d[1:], sincnet.norm1d[1:], strict=True):
            x = functional.leaky_relu(norm(pool(convolution(x))))
        x, _ = model.lstm(x.transpose(1, 2))
        for linear in model.linear:
            x = functional.leaky_relu(linear(x))
        return torch.softmax(model.classifier(x).float(), dim=-1)


def segment_recording(
    audio: Path, *, weights: Path, device: str, threads: int, progress: Callable[[float], None]
) -> Segmentation:
    """Segment a decoded WAV.

    Args:
        audio: a WAV of `decode_audio`.
        weights: the file of segmentation-3.0 or community-1's segmentation.
        device: `cpu` or `cuda` (half precision).
        threads: windows worked on at once on a CPU.
        progress: told the fraction done.
    """
    torch.set_num_threads(1 if device == "cpu" else threads)
    length = len(map_audio(audio))
    segmenter = Segmenter(weights, device)
    count = window_count(length)
    size = BATCH[device]
    starts = range(0, count, size)

    def work(first: int) -> npt.NDArray[np.uint8]:
        number = min(size, count - first)
        samples = _samples(audio, first * STEP_SAMPLES, (number - 1) * STEP_SAMPLES + WINDOW_SAMPLES)
        with torch.inference_mode(), torch.autocast(device, torch.float16, enabled=device == "cuda"):
            scores = segmenter.windows(samples.to(device), number)
        result: npt.NDArray[np.uint8] = (scores * 255).round().to(torch.uint8).cpu().numpy()
        return result

    parts = []
    for part in _in_order(work, starts, workers=threads if device == "cpu" else 1):
        parts.append(part)
        progress(min(1.0, len(parts) * size / count))
    return Segmentation(scores=np.concatenate(parts), duration=length / SAMPLE_RATE)


def _samples(audio: Path, start: int, length: int) -> Tensor:
    """A stretch of so many samples in [-1, 1], read from disk; silence follows where the sound ends."""
    piece = torch.from_numpy(read_audio(audio, start / SAMPLE_RATE, (start + length) / SAMPLE_RATE))
    return functional.pad(piece, (0, length - len(piece)))


def _in_order(
    work: Callable[[int], npt.NDArray[np.uint8]], starts: range, *, workers: int
) -> Iterator[npt.NDArray[np.uint8]]:
    """Results in order, worked out side by side."""
    if workers == 1:
        yield from map(work, starts)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="segmentation") as pool:
        try:
            yield from pool.map(work, starts)
        finally:
            pool.shutdown(cancel_futures=True)
