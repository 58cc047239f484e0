"""Speaker features of a recording, computed once: sums over cells of 0.12 s from which any voice can be pooled.

CAM++ is convolution followed by pooling of mean and deviation over time. The convolution runs once over the parts of a
recording where somebody speaks; what is kept of it are each cell's mean and mean square over its speech, 2 x 512 half
precision numbers: 61 MB an hour instead of 370. Pooling any set of cells is then one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from meetings.speech.audio import SAMPLE_RATE, map_audio, read_audio
from meetings.speech.campplus import FRAME_CHANNELS, CamPlusPlus, log_mel
from meetings.speech.segmentation import FIRST_FRAME, FRAME, Floats

FRAME_RATE = 50  # CAM++ frames a second
CELL_FRAMES = 6
CELL = CELL_FRAMES / FRAME_RATE  # seconds
CHUNK_CELLS = 100  # cells computed at a time: 12 s, about as long as the crops that the network was trained on
# Sound at the edges of a chunk lacks its neighbours. Half a second of them, computed and thrown away, costs 8 %.
CONTEXT_CELLS = 4
POOL_ROWS = 512  # voices pooled at a time
POOL_CELLS = 4096  # cells made float32 at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceFeatures:
    """Cells of a recording: `mean` and `square` float16 (cells, 512), `frames` of speech in each, 0 to 6 (cells,)."""

    mean: npt.NDArray[np.float16]
    square: npt.NDArray[np.float16]
    frames: Floats

    def pool(self, network: CamPlusPlus, weights: Floats, *, first: int = 0) -> Floats:
        """Embeddings of unit length (rows, 192); not-a-number where a row selects no speech.

        Args:
            network: what turns pooled statistics into embeddings.
            weights: (rows, cells), the share of each cell's speech that counts.
            first: the cell of the first column.
        """
        weights = weights * self.frames[first : first + weights.shape[1]]
        sums = np.zeros((2, len(weights), FRAME_CHANNELS), dtype=np.float32)
        # A block at a time: the half precision cells of three hours would be 370 MB in float32.
        for start in range(0, weights.shape[1], POOL_CELLS):
            block = weights[:, start : start + POOL_CELLS]
            part = slice(first + start, first + start + block.shape[1])
            sums[0] += block @ self.mean[part].astype(np.float32)
            sums[1] += block @ self.square[part].astype(np.float32)
        return embed(network, weights.sum(axis=1), *sums)


def embed(network: CamPlusPlus, total: Floats, sums: Floats, squares: Floats) -> Floats:
    """Embeddings (rows, 192) of unit length from frames counted, summed, and summed squared (rows,), (rows, 512)."""
    pieces = []
    device = next(network.parameters()).device
    for start in range(0, len(total), POOL_ROWS):
        rows = slice(start, start + POOL_ROWS)
        parts = (torch.from_numpy(np.ascontiguousarray(x[rows], dtype=np.float32)) for x in (total, sums, squares))
        with torch.inference_mode():
            embeddings = network.embed(*(p.to(device) for p in parts))
            pieces.append(torch.nn.functional.normalize(embeddings.float(), dim=1).cpu().numpy())
    return np.concatenate(pieces) if pieces else np.zeros((0, 192), dtype=np.float32)


def voice_features(
    audio: Path,
    speech: npt.NDArray[np.bool_],
    *,
    network: CamPlusPlus,
    threads: int = 1,
    progress: Callable[[float], None],
) -> VoiceFeatures:
    """Compute the cells of a decoded WAV; silence costs nothing.

    Args:
        audio: a WAV of `decode_audio`.
        speech: for each frame of the segmentation, whether somebody speaks.
        network: CAM++, on the device that does the work.
        threads: chunks worked on at once on a CPU.
        progress: told the fraction done.
    """
    cells = -(-len(map_audio(audio)) * FRAME_RATE // (SAMPLE_RATE * CELL_FRAMES))
    spoken = speech_of_cells(speech, cells)
    mean = np.zeros((cells, FRAME_CHANNELS), dtype=np.float16)
    square = np.zeros((cells, FRAME_CHANNELS), dtype=np.float16)
    bounds = list(_chunks(spoken))

    def work(chunk: tuple[int, int]) -> None:
        first, last = chunk
        begin = max(0, first - CONTEXT_CELLS)
        frames = _frames(network, audio, begin, min(cells, last + CONTEXT_CELLS))[:, (first - begin) * CELL_FRAMES :]
        frames = _fit(frames, (last - first) * CELL_FRAMES)
        x = frames.float().reshape(len(frames), last - first, CELL_FRAMES)
        mask = torch.from_numpy(spoken[first:last]).to(x.device)
        number = mask.sum(dim=1).clamp(min=1)
        mean[first:last] = ((x * mask).sum(dim=2) / number).T.to(torch.float16).cpu().numpy()
        square[first:last] = ((x.square() * mask).sum(dim=2) / number).T.to(torch.float16).cpu().numpy()

    workers = threads if next(network.parameters()).device.type == "cpu" else 1
    with ThreadPoolExecutor(workers, thread_name_prefix="voices") as pool:
        try:
            for done, _ in enumerate(pool.map(work, bounds), start=1):
                progress(done / len(bounds))
        finally:
            pool.shutdown(cancel_futures=True)
    return VoiceFeatures(mean=mean, square=square, frames=spoken.sum(axis=1).astype(np.float32))


def speech_of_cells(speech: npt.NDArray[np.bool_], cells: int) -> npt.NDArray[np.bool_]:
    """Which CAM++ frames of each cell hold speech (cells, 6), from the segmentation's frames."""
    times = np.arange(cells * CELL_FRAMES) / FRAME_RATE
    nearest = np.clip(np.rint((times - FIRST_FRAME) / FRAME).astype(np.int64), 0, len(speech) - 1)
    result: npt.NDArray[np.bool_] = speech[nearest].reshape(cells, CELL_FRAMES)
    return result


def _chunks(spoken: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Stretches of cells to compute, at most `CHUNK_CELLS` long, from the first to the last one with speech."""
    for start in range(0, len(spoken), CHUNK_CELLS):
        found = np.flatnonzero(spoken[start : start + CHUNK_CELLS].sum(axis=1))
        if len(found):
            yield start + int(found[0]), start + int(found[-1]) + 1


def _frames(network: CamPlusPlus, audio: Path, first: int, last: int) -> Tensor:
    """CAM++ frames (512, frames) of cells; its filterbanks are centred on their own mean, as in training."""
    # Read piece by piece: a map of the whole sound would count as memory once it was walked through.
    piece = torch.from_numpy(read_audio(audio, first * CELL, last * CELL))
    # Less than one analysis window: too short to have features.
    piece = torch.nn.functional.pad(piece, (0, max(0, SAMPLE_RATE // 20 - len(piece))))
    device = next(network.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
        features = log_mel(piece)
        return network.frames((features - features.mean(0))[None].to(device))[0]


def _fit(frames: Tensor, length: int) -> Tensor:
    """Cut to a length, or continued by the last frame: the last analysis window ends before the sound does."""
    missing = length - frames.shape[1]
    if missing <= 0:
        return frames[:, :length]
    return torch.cat([frames, frames[:, -1:].expand(-1, missing)], dim=1)
