#!/usr/bin/env python3
"""Speak the language clips of the tests: short passages of a product meeting in several languages, with their truth.

Needs pico2wave (Debian: libttspico-utils, in non-free) and the project's own environment. The voices are synthetic.

    python scripts/make_language_clips.py [--out tests/data/languages]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

from meetings.speech import ffmpeg_binary

ROOT = Path(__file__).parents[1]
RATE = 16_000  # Hz; what pico2wave writes
PAUSE = 0.6  # seconds between sentences
VOICES = {"en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}

CLIPS: dict[str, list[tuple[str, str]]] = {
    "german": [
        ("de", "Guten Morgen zusammen, wir haben heute drei Themen auf der Liste."),
        ("de", "Die neue Version erscheint am zehnten Dezember, eine Woche später als geplant."),
        ("de", "Der Grund ist ein Fehler beim Import von sehr großen Dateien."),
        ("de", "Sabine, kannst du bis Freitag den Test wiederholen und uns die Zahlen schicken?"),
        ("de", "Danach entscheiden wir gemeinsam, ob wir die Kunden informieren."),
    ],
    "french": [
        ("fr", "Bonjour à tous, nous avons trois sujets à discuter aujourd'hui."),
        ("fr", "La nouvelle version sera publiée le dix décembre, une semaine plus tard que prévu."),
        ("fr", "La raison est une erreur pendant l'importation des fichiers très volumineux."),
        ("fr", "Camille, peux-tu refaire le test avant vendredi et nous envoyer les résultats?"),
        ("fr", "Ensuite nous déciderons ensemble si nous devons prévenir les clients."),
    ],
    "spanish": [
        ("es", "Buenos días a todos, hoy tenemos tres temas en la agenda."),
        ("es", "La nueva versión saldrá el diez de diciembre, una semana más tarde de lo previsto."),
        ("es", "El motivo es un error al importar archivos muy grandes."),
        ("es", "Lucía, ¿puedes repetir la prueba antes del viernes y enviarnos los resultados?"),
        ("es", "Después decidiremos juntos si tenemos que avisar a los clientes."),
    ],
    "english-german-english": [
        ("en", "Good morning everyone, let us begin with the release."),
        ("en", "The new version comes out on the tenth of December, one week later than planned."),
        ("de", "Ich sage es kurz auf Deutsch, weil unsere Kollegen aus München dabei sind."),
        ("de", "Der Import von großen Dateien bricht ab, und wir suchen noch nach der Ursache."),
        ("de", "Bis Freitag wiederholen wir den Test und schicken euch die Zahlen."),
        ("en", "Thank you, so we decide about the announcement on Friday afternoon."),
        ("en", "Please send me your questions before lunch."),
    ],
}


def speak(language: str, text: str, folder: Path) -> np.ndarray:
    """One sentence, silence at both ends cut off."""
    path = folder / "sentence.wav"
    subprocess.run(["pico2wave", "-l", VOICES[language], "-w", str(path), text], check=True)
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64) / 32768
    heard = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[max(0, heard[0] - 160) : heard[-1] + 480]


def make(sentences: list[tuple[str, str]], path: Path) -> dict[str, Any]:
    """One clip as Ogg Opus; its truth, times in seconds."""
    pieces, segments, clock = [np.zeros(RATE // 2)], [], 0.5
    with tempfile.TemporaryDirectory() as folder:
        for language, text in sentences:
            samples = speak(language, text, Path(folder))
            end = clock + len(samples) / RATE
            segments.append({"language": language, "start": round(clock, 3), "end": round(end, 3), "text": text})
            pieces += [samples, np.zeros(round(PAUSE * RATE))]
            clock = end + round(PAUSE * RATE) / RATE
    sound = np.concatenate(pieces)
    # A quiet room, 55 dB below full scale, so that the pauses are not digital silence.
    sound = sound / np.abs(sound).max() * 0.5 + np.random.default_rng(1).standard_normal(len(sound)) * 10 ** (-55 / 20)
    command = [
        str(ffmpeg_binary()), "-hide_banner", "-loglevel", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1",
        "-i", "pipe:0", "-c:a", "libopus", "-b:a", "14k", "-map_metadata", "-1", "-fflags", "+bitexact", str(path),
    ]  # fmt: skip
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)
    languages = sorted({s["language"] for s in segments}, key=[s["language"] for s in segments].index)
    return {"languages": languages, "duration": round(len(sound) / RATE, 3), "segments": segments}


def main() -> None:
    """Write every clip and its truth."""
    parser = argparse.ArgumentParser(description="Speak the language clips of the tests.")
    parser.add_argument("--out", type=Path, default=ROOT / "tests/data/languages")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, sentences in CLIPS.items():
        path = out / f"{name}.ogg"
        truth = make(sentences, path)
        path.with_suffix(".truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
        print(f"{path.name}: {truth['duration']:.1f} s, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
