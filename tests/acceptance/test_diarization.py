"""Work done once gives what the stock way gives: the real networks on the sample call."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from meetings.evaluation import Said, diarization_error_rate, read_rttm
from meetings.speech import decode_audio, diarize, read_audio, segment
from meetings.speech.campplus import load_campplus, log_mel
from meetings.speech.diarization import weights_file
from meetings.speech.segmentation import Segmentation
from meetings.speech.segmentation_network import STEP_SAMPLES, WINDOW_SAMPLES, Segmenter
from meetings.speech.voice_features import CELL, VoiceFeatures, voice_features
from tests.acceptance.conftest import SAMPLE

pytestmark = pytest.mark.models
SECONDS = 60


@pytest.fixture(scope="module")
def sound(make_media: Callable[..., Path]) -> Path:
    """A minute of the sample call."""
    media = make_media("minute.wav", "-ss", "60", "-t", str(SECONDS), "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")
    return decode_audio(media, media.with_name("minute-decoded.wav")).path


@pytest.fixture(scope="module")
def found(sound: Path, models_folder: Path) -> Segmentation:
    """Its segmentation."""
    return segment(sound, segmentation=models_folder / "segmentation-3.0", threads=2)


def test_filtering_once_gives_what_the_stock_network_gives(sound: Path, models_folder: Path) -> None:
    segmenter = Segmenter(weights_file(models_folder / "segmentation-3.0"), "cpu")
    samples = torch.from_numpy(read_audio(sound, 0, SECONDS))
    # A quieter half: each window is normalised by its own loudness.
    samples[len(samples) // 3 :] *= 0.05
    windows = torch.stack([samples[i * STEP_SAMPLES : i * STEP_SAMPLES + WINDOW_SAMPLES] for i in range(8)])
    with torch.inference_mode():
        ours = segmenter.windows(samples, 8)
        stock = segmenter.model(windows[:, None]).exp()
    assert torch.allclose(ours, stock, atol=1e-3)


def test_threads_change_nothing(sound: Path, found: Segmentation, models_folder: Path) -> None:
    alone = segment(sound, segmentation=models_folder / "segmentation-3.0", threads=1)
    assert (alone.scores == found.scores).mean() > 0.999


def test_a_voice_pooled_from_cells_is_the_voice_embedded_from_its_sound(
    sound: Path, found: Segmentation, models_folder: Path
) -> None:
    network = load_campplus(weights_file(models_folder / "campplus"))
    features = voice_features(sound, found.count() > 0, network=network, progress=lambda _f: None)
    start, end = 24.0, 34.0
    weights = np.zeros((1, len(features.frames)), dtype=np.float32)
    weights[0, round(start / CELL) : round(end / CELL)] = 1.0
    pooled = features.pool(network, weights)[0]
    with torch.inference_mode():
        mel = log_mel(torch.from_numpy(read_audio(sound, start, end)))
        direct = torch.nn.functional.normalize(network((mel - mel.mean(0))[None]), dim=1)[0].numpy()
    # Pauses are left out of the one and not of the other.
    assert float(pooled @ direct) > 0.95


def test_no_speech_in_the_cells_is_no_voice(models_folder: Path) -> None:
    network = load_campplus(weights_file(models_folder / "campplus"))
    empty = np.zeros((10, 512), dtype=np.float16)
    features = VoiceFeatures(mean=empty, square=empty, frames=np.zeros(10, dtype=np.float32))
    assert np.isnan(features.pool(network, np.ones((1, 10), dtype=np.float32))).all()


def test_a_minute_of_talk_is_told_apart(sound: Path, found: Segmentation, models_folder: Path) -> None:
    result = diarize(
        sound,
        activity=found,
        segmentation=models_folder / "segmentation-3.0",
        embedding=models_folder / "campplus",
    )
    truth = [
        Said(speaker=t.speaker, start=max(0.0, t.start - 60), end=min(SECONDS, t.end - 60))
        for t in read_rttm(SAMPLE.with_suffix(".rttm").read_text())
        if t.end > 60 and t.start < 60 + SECONDS
    ]
    turns = [Said(speaker=t.speaker, start=t.start, end=t.end) for t in result.turns]
    assert diarization_error_rate(truth, turns) < 0.15
    assert {v.speaker for v in result.voices} <= {t.speaker for t in result.turns}
    for voice in result.voices:
        assert np.linalg.norm(voice.embedding) == pytest.approx(1.0, abs=1e-3)
    for one, other in pairwise(result.exclusive):
        assert other.start >= one.end - 1e-6


def test_silence_has_no_turns(models_folder: Path) -> None:
    scores = np.zeros((1, 589, 7), dtype=np.uint8)
    scores[..., 0] = 255
    nothing = Segmentation(scores=scores, duration=8.0)
    result = diarize(
        Path("never-read.wav"),
        activity=nothing,
        segmentation=models_folder / "segmentation-3.0",
        embedding=models_folder / "campplus",
    )
    assert result.turns == ()
