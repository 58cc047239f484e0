"""pyannote.audio's `SpeakerDiarization` with features computed once; imported only when a recording is diarized."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pyannote.audio import Model
from pyannote.audio.core.plda import PLDA
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.pipelines import SpeakerDiarization
from torch import Tensor

from meetings.speech.audio import SAMPLE_RATE
from meetings.speech.campplus import EMBEDDING_SIZE, CamPlusPlus, load_campplus, log_mel
from meetings.speech.diarization import (
    CLUSTERING_THRESHOLD,
    CONTEXT,
    MIN_CLUSTER_SIZE,
    chunk_bounds,
)

FRAME_RATE = 50  # output frames of CAM++ a second
MIN_FRAMES = 10  # 0.2 s: with less clean speech than this a speaker is embedded from the overlapped speech too


class Embedding(Model):
    """CAM++ as pyannote knows a model: the pipeline asks it for rate, dimension and metric."""

    def __init__(self, network: CamPlusPlus) -> None:
        super().__init__(sample_rate=SAMPLE_RATE, num_channels=1)
        self.network = network
        self.specifications = Specifications(problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=10.0)

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return EMBEDDING_SIZE

    def forward(self, waveforms: Tensor, weights: Tensor | None = None, **_: Any) -> Tensor:
        """Embeddings (batch, 192) of waveforms (batch, 1, samples): the stock way, window by window."""
        rows = []
        for index, waveform in enumerate(waveforms[:, 0]):
            features = log_mel(waveform)
            frames = self.network.frames((features - features.mean(0))[None])[0]
            given = torch.ones(1, 1, frames.shape[-1]) if weights is None else weights[None, None, index]
            scaled = torch.nn.functional.interpolate(given.float(), size=frames.shape[-1])[0]
            rows.append(self.network.pool(frames, scaled)[0])
        return torch.stack(rows)


class OnceOverDiarization(SpeakerDiarization):
    """The pipeline with `get_embeddings` pooled from features that were computed once over the recording.

    The features stay in `frames` (512, frames at 50 Hz) after a run that found speech, else it is None.
    """

    frames: Tensor | None = None

    @property
    def network(self) -> CamPlusPlus:
        """The embedding network."""
        network: CamPlusPlus = self._embedding.model_.network
        return network

    def get_embeddings(
        self,
        file: Any,
        binary_segmentations: Any,
        exclude_overlap: bool = False,
        hook: Callable[..., None] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Embeddings (windows, speakers, 192); not-a-number where a speaker is silent."""
        del exclude_overlap  # always: overlapped speech is two voices at once
        network = self.network
        frames = recording_frames(network, file["waveform"][0], hook=hook)
        self.frames = frames
        windows = binary_segmentations.sliding_window
        masks = np.nan_to_num(binary_segmentations.data, nan=0.0).astype(np.float32)
        clean = masks * (masks.sum(axis=2, keepdims=True) < 2)
        size = round(windows.duration * FRAME_RATE)
        padding = round((len(masks) * windows.step + windows.duration) * FRAME_RATE) - frames.shape[-1]
        frames = torch.nn.functional.pad(frames, (0, max(0, padding)))
        result = np.full((len(masks), masks.shape[2], EMBEDDING_SIZE), np.nan, dtype=np.float32)
        for index in range(len(masks)):
            start = round((windows.start + index * windows.step) * FRAME_RATE)
            weights = torch.from_numpy(_choose(clean[index], masks[index]))
            scaled = torch.nn.functional.interpolate(weights.T[None], size=size)[0]
            spoken = scaled.sum(-1) > 0
            if spoken.any():
                pooled = network.pool(frames[:, start : start + size], scaled[spoken].to(frames.device))
                result[index, spoken.numpy()] = pooled.float().cpu().numpy()
        return result


def _choose(clean: npt.NDArray[np.float32], whole: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each speaker's mask: speech without overlap, unless too little of it is left."""
    enough = clean.sum(axis=0, keepdims=True) > MIN_FRAMES
    return np.where(enough, clean, whole).astype(np.float32)


def recording_frames(network: CamPlusPlus, waveform: Tensor, *, hook: Callable[..., None] | None = None) -> Tensor:
    """Frame features (512, frames at 50 Hz) of a recording (samples,), chunk by chunk.

    Each chunk is computed with context on both sides that is thrown away, and its filterbanks are centred on the
    chunk's own mean, as each training crop was.
    """
    device = next(network.parameters()).device
    duration = len(waveform) / SAMPLE_RATE
    bounds = chunk_bounds(duration)
    parts = []
    for number, (start, end) in enumerate(bounds):
        begin = max(0.0, start - CONTEXT)
        stop = min(duration, end + CONTEXT)
        piece = waveform[round(begin * SAMPLE_RATE) : round(stop * SAMPLE_RATE)]
        wanted = round(end * FRAME_RATE) - round(start * FRAME_RATE)
        skipped = round((start - begin) * FRAME_RATE)
        if len(piece) >= SAMPLE_RATE // 20:
            features = log_mel(piece)
            frames = network.frames((features - features.mean(0))[None].to(device))[0, :, skipped:]
        else:
            frames = torch.zeros(512, 0, device=device)
        frames = frames[:, :wanted]
        parts.append(torch.nn.functional.pad(frames, (0, wanted - frames.shape[-1])))
        if hook is not None:
            hook("embeddings", None, total=len(bounds), completed=number + 1)
    return torch.cat(parts, dim=-1)


def build_pipeline(segmentation: Path, embedding: Path) -> OnceOverDiarization:
    """The pipeline from local files, without a hub.

    Args:
        segmentation: pyannote's segmentation weights.
        embedding: CAM++ weights.
    """
    pipeline = OnceOverDiarization(
        segmentation=str(segmentation),
        segmentation_step=0.1,
        embedding=Embedding(load_campplus(embedding)),
        embedding_exclude_overlap=True,
        # VBx would need it; agglomerative clustering does not, and the default lies on a hub.
        plda=PLDA.__new__(PLDA),
        clustering="AgglomerativeClustering",
        segmentation_batch_size=32,
        embedding_batch_size=32,
    )
    pipeline.instantiate(
        {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {
                "method": "centroid",
                "threshold": CLUSTERING_THRESHOLD,
                "min_cluster_size": MIN_CLUSTER_SIZE,
            },
        }
    )
    return pipeline
