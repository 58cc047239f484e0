"""pyannote.audio's `SpeakerDiarization` over a segmentation and speaker features that are there already.

The pipeline's order (segment, count, embed, cluster, reconstruct) and its clustering are pyannote's; each of its parts
that looks at sound is replaced by one that looks at results. Imported only when a recording is diarized.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pyannote.audio import Model
from pyannote.audio.core.plda import PLDA
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.core import SlidingWindow, SlidingWindowFeature
from torch import Tensor

from meetings.speech.audio import SAMPLE_RATE
from meetings.speech.campplus import EMBEDDING_SIZE, CamPlusPlus, load_campplus, log_mel
from meetings.speech.segmentation import (
    FIRST_FRAME,
    FRAME,
    STEP_FRAMES,
    WINDOW,
    WINDOW_FRAMES,
    Floats,
    Segmentation,
)
from meetings.speech.voice_features import CELL, VoiceFeatures

# Measured on spoken meetings: at 0.6 a voice is split, at 0.8 a speaker is lost on one of them (windows every 2 s).
CLUSTERING_THRESHOLD = 0.7
MIN_CLUSTER_SECONDS = 12.0  # a voice found in less than this much of window steps is no speaker of its own
MIN_CLEAN_FRAMES = 12  # 0.2 s: with less clean speech than this a voice is embedded from the overlapped speech too
# Agglomerative clustering holds half the square of its items in memory, 8 bytes each, twice: 0.13 GB for so many.
MAX_CLUSTERED = 4000


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
            given = torch.ones(1, 1, frames.shape[-1]) if weights is None else weights[None, None, index].float()
            mask = torch.nn.functional.interpolate(given, size=frames.shape[-1])[0].to(frames.device)
            rows.append(self.network.embed(mask.sum(1), mask @ frames.T, mask @ frames.T.square())[0])
        return torch.stack(rows)


class OnceOverDiarization(SpeakerDiarization):
    """The pipeline with its eyes on `segmentation` and `features`, which are set before each run."""

    segmentation_found: Segmentation
    features: VoiceFeatures

    @property
    def network(self) -> CamPlusPlus:
        """The embedding network."""
        network: CamPlusPlus = self._embedding.model_.network
        return network

    def get_segmentations(self, file: Any, hook: Any = None) -> SlidingWindowFeature:
        """The likeliest class of each frame, as activity of local speakers."""
        del file, hook
        return SlidingWindowFeature(self.segmentation_found.decided(), _windows())

    def speaker_count(self, *_: Any, **__: Any) -> SlidingWindowFeature:  # type: ignore[override]  # static in pyannote
        """How many speak at once, from probabilities instead of votes."""
        return SlidingWindowFeature(self.segmentation_found.count()[:, None], _frames())

    def get_embeddings(
        self, file: Any, binary_segmentations: Any, exclude_overlap: bool = False, hook: Any = None
    ) -> Floats:
        """Embeddings (windows, speakers, 192); not-a-number where a speaker is silent."""
        del file, exclude_overlap, hook  # always without overlap: overlapped speech is two voices at once
        return window_embeddings(self.network, self.features, binary_segmentations.data)

    def reconstruct(self, segmentations: Any, hard_clusters: Any, count: Any) -> SlidingWindowFeature:
        """Who speaks in each frame: as many as were counted, the likeliest first."""
        del segmentations
        active = cluster_activity(self.segmentation_found.speakers(), hard_clusters)
        number = count.data[:, :1]
        if (missing := int(number.max()) - active.shape[1]) > 0:
            active = np.pad(active, ((0, 0), (0, missing)))
        rank = np.argsort(np.argsort(-active, axis=1, kind="stable"), axis=1)
        return SlidingWindowFeature((rank < number).astype(np.float32), _frames())


def window_embeddings(network: CamPlusPlus, features: VoiceFeatures, active: Floats) -> Floats:
    """Embeddings (windows, speakers, 192) of local speakers from their activity, 0 or 1 (windows, 589, speakers)."""
    clean = active * (active.sum(axis=2, keepdims=True) < 2)
    chosen = np.where(clean.sum(axis=1, keepdims=True) > MIN_CLEAN_FRAMES, clean, active)
    windows, _, speakers = active.shape
    length = round(WINDOW / CELL)
    # The segmentation's frame at the middle of each cell.
    middles = np.rint(((np.arange(length) + 0.5) * CELL - FIRST_FRAME) / FRAME).astype(np.int64)
    weights = chosen[:, np.clip(middles, 0, WINDOW_FRAMES - 1)]
    result = np.full((windows, speakers, EMBEDDING_SIZE), np.nan, dtype=np.float32)
    for index in range(windows):
        first = round(index * STEP_FRAMES * FRAME / CELL)
        inside = weights[index, : max(0, len(features.frames) - first)].T
        spoken = inside.sum(axis=1) > 0
        if spoken.any():
            result[index, spoken] = features.pool(network, inside[spoken], first=first)
    return result


def cluster_activity(speakers: Floats, clusters: npt.NDArray[np.int64]) -> Floats:
    """Local speakers' probabilities (windows, 589, 3) summed for each cluster over the windows: (frames, clusters)."""
    windows, length, _ = speakers.shape
    total = np.zeros(((windows - 1) * STEP_FRAMES + length, int(clusters.max()) + 1), dtype=np.float32)
    for index, row in enumerate(clusters):
        frames = slice(index * STEP_FRAMES, index * STEP_FRAMES + length)
        for cluster in set(row.tolist()) - {-2}:  # -2: the local speaker is silent
            total[frames, cluster] += speakers[index][:, row == cluster].max(axis=1)
    return total


def _windows() -> SlidingWindow:
    return SlidingWindow(start=0.0, duration=WINDOW, step=STEP_FRAMES * FRAME)


def _frames() -> SlidingWindow:
    return SlidingWindow(start=0.0, duration=2 * FIRST_FRAME, step=FRAME)


def build_pipeline(segmentation: Path, embedding: Path) -> OnceOverDiarization:
    """The pipeline from local files, without a hub.

    Args:
        segmentation: pyannote's segmentation weights.
        embedding: CAM++ weights.
    """
    pipeline = OnceOverDiarization(
        segmentation=str(segmentation),
        segmentation_step=STEP_FRAMES * FRAME / WINDOW,
        embedding=Embedding(load_campplus(embedding)),
        embedding_exclude_overlap=True,
        # VBx would need it; agglomerative clustering does not, and the default lies on a hub.
        plda=PLDA.__new__(PLDA),
        clustering="AgglomerativeClustering",
    )
    pipeline.instantiate(
        {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {
                "method": "centroid",
                "threshold": CLUSTERING_THRESHOLD,
                "min_cluster_size": round(MIN_CLUSTER_SECONDS / (STEP_FRAMES * FRAME)),
            },
        }
    )
    _thin(pipeline.clustering)
    return pipeline


def _thin(clustering: Any) -> None:
    """Let a very long recording be clustered by an even choice of its windows; the rest are assigned afterwards."""
    choose = clustering.filter_embeddings

    def filter_embeddings(*args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
        embeddings, windows, speakers = choose(*args, **kwargs)
        if len(embeddings) <= MAX_CLUSTERED:
            return embeddings, windows, speakers
        kept = np.linspace(0, len(embeddings) - 1, MAX_CLUSTERED).round().astype(np.int64)
        return embeddings[kept], windows[kept], speakers[kept]

    clustering.filter_embeddings = filter_embeddings
