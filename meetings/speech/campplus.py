"""CAM++, the network behind speaker embeddings, written so that its frames are computed once and pooled many times.

Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware Masking"
(arXiv 2303.00332). Names of attributes follow the published checkpoints, so that their weights load as they are. The
network is split where the paper's statistics pooling stands: `frames` is convolution over time, `embed` makes an
embedding of sums over its output.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

MEL_BANDS = 80
HOP = 160  # samples between feature frames at 16 kHz (10 ms)
STRIDE = 2  # feature frames per output frame (the first TDNN layer halves the rate)
CONTEXT_FRAMES = 100  # output frames of one segment in context-aware masking (2 s), section 3.2 of the paper
EMBEDDING_SIZE = 192
FRAME_CHANNELS = 512  # what is pooled


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut; `stride` shrinks the frequency axis only."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, channels, 1, stride=(stride, 1), bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class _FrontEnd(nn.Module):
    """The 2-D convolution module: (batch, 80, time) to (batch, 320, time)."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(_ResidualBlock(channels, 2), _ResidualBlock(channels, 1))
        self.layer2 = nn.Sequential(_ResidualBlock(channels, 2), _ResidualBlock(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x.unsqueeze(1))))
        y = functional.relu(self.bn2(self.conv2(self.layer2(self.layer1(y)))))
        return y.flatten(1, 2)


def _normalised(channels: int, *, affine: bool = True, relu: bool = True) -> nn.Sequential:
    layers: list[tuple[str, nn.Module]] = [("batchnorm", nn.BatchNorm1d(channels, affine=affine))]
    return nn.Sequential(OrderedDict([*layers, ("relu", nn.ReLU())] if relu else layers))


class _ContextMask(nn.Module):
    """A dilated convolution whose output channels are gated by the mean over the chunk and over 2 s segments."""

    def __init__(self, channels: int, out: int, kernel: int, dilation: int) -> None:
        super().__init__()
        padding = (kernel - 1) // 2 * dilation
        self.linear_local = nn.Conv1d(channels, out, kernel, padding=padding, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(channels, channels // 2, 1)
        self.linear2 = nn.Conv1d(channels // 2, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        segments = functional.avg_pool1d(x, CONTEXT_FRAMES, CONTEXT_FRAMES, ceil_mode=True)
        # The gate is the same for all frames of a segment: it is computed per segment, then spread.
        context = x.mean(-1, keepdim=True) + segments
        gate = torch.sigmoid(self.linear2(functional.relu(self.linear1(context))))
        spread = gate.repeat_interleave(CONTEXT_FRAMES, dim=-1)[..., : x.shape[-1]]
        return cast(Tensor, self.linear_local(x)) * spread


class _DenseLayer(nn.Module):
    def __init__(self, channels: int, growth: int, bottleneck: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _normalised(channels)
        self.linear1 = nn.Conv1d(channels, bottleneck, 1, bias=False)
        self.nonlinear2 = _normalised(bottleneck)
        self.cam_layer = _ContextMask(bottleneck, growth, kernel, dilation)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x)))))


class _DenseBlock(nn.Module):
    """Every layer sees the outputs of all before it (D-TDNN)."""

    def __init__(self, layers: int, channels: int, growth: int, dilation: int) -> None:
        super().__init__()
        for i in range(layers):
            self.add_module(f"tdnnd{i + 1}", _DenseLayer(channels + i * growth, growth, 4 * growth, 3, dilation))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class _Transit(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.nonlinear = _normalised(channels)
        self.linear = nn.Conv1d(channels, out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.linear(self.nonlinear(x)))


class _FirstLayer(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out, 5, stride=STRIDE, padding=2, bias=False)
        self.nonlinear = _normalised(out)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.nonlinear(self.linear(x)))


class _LastLayer(nn.Module):
    """Pooled statistics to the embedding. No ReLU follows: the checkpoint was trained without one."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out, 1, bias=False)
        self.nonlinear = _normalised(out, affine=False, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.nonlinear(self.linear(x.unsqueeze(-1)).squeeze(-1)))


class CamPlusPlus(nn.Module):
    """The network of the 3D-Speaker checkpoints `speech_campplus_sv_*`: 80 mel bands in, 192 numbers out."""

    def __init__(self) -> None:
        super().__init__()
        self.head = _FrontEnd()
        parts: list[tuple[str, nn.Module]] = [("tdnn", _FirstLayer(320, 128))]
        channels = 128
        for i, (layers, dilation) in enumerate(((12, 1), (24, 2), (16, 2)), start=1):
            parts.append((f"block{i}", _DenseBlock(layers, channels, 32, dilation)))
            channels += layers * 32
            parts.append((f"transit{i}", _Transit(channels, channels // 2)))
            channels //= 2
        parts.append(("out_nonlinear", _normalised(channels)))
        parts.append(("dense", _LastLayer(2 * channels, EMBEDDING_SIZE)))
        self.xvector = nn.Sequential(OrderedDict(parts))

    def frames(self, features: Tensor) -> Tensor:
        """Log-mel features (batch, time, 80), mean-normalised, to frames (batch, 512, time / 2)."""
        x = self.head(features.transpose(1, 2))
        for name, part in self.xvector.named_children():
            if name != "dense":
                x = part(x)
        return cast(Tensor, x)

    def embed(self, total: Tensor, sums: Tensor, squares: Tensor) -> Tensor:
        """Embeddings (rows, 192) of frames that were counted, summed, and summed squared: (rows,), (rows, 512).

        Fewer than two frames give NaN, which pyannote's clustering leaves out.
        """
        count = total[:, None]
        mean = sums / count
        # The unbiased deviation, as the checkpoint's authors pool it.
        variance = (squares / count - mean.square()).clamp(min=1e-10) * (count / (count - 1))
        embeddings = cast(Tensor, self.xvector.get_submodule("dense")(torch.cat([mean, variance.sqrt()], dim=1)))
        return torch.where(count > 1.5, embeddings, torch.full_like(embeddings, float("nan")))

    def forward(self, features: Tensor) -> Tensor:
        """One embedding for each item of a batch of features (batch, time, 80)."""
        frames = self.frames(features)
        total = torch.full((len(frames),), float(frames.shape[-1]), device=frames.device)
        return self.embed(total, frames.sum(-1), frames.square().sum(-1))


def load_campplus(path: Path) -> CamPlusPlus:
    """The network with the weights of a published checkpoint."""
    model = CamPlusPlus()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval().requires_grad_(False)


def log_mel(samples: Tensor) -> Tensor:
    """Kaldi's 80 log-mel bands of samples in [-1, 1] at 16 kHz: (time, 80), not yet mean-normalised."""
    from torchaudio.compliance import kaldi

    # 25 ms windows each 10 ms without dither, as the checkpoint's authors extract them.
    return cast(Tensor, kaldi.fbank(samples.unsqueeze(0), num_mel_bins=MEL_BANDS, sample_frequency=16_000, dither=0.0))
