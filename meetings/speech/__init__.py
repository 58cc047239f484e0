"""Speech: from a recording to utterances with named speakers."""

from meetings.speech.alignment import align_words
from meetings.speech.audio import load_audio, map_audio, read_audio
from meetings.speech.calls_transcript import read_calls_vtt
from meetings.speech.candidates import Candidate
from meetings.speech.chunks import Region
from meetings.speech.clocks import CallsCue
from meetings.speech.decoding import AudioInfo, decode_audio, sides_path
from meetings.speech.diarization import Diarization, Turn, Voice, diarize, segment
from meetings.speech.media import ffmpeg_binary
from meetings.speech.naming import Answer, Naming, name_speakers
from meetings.speech.segmentation import (
    Segmentation,
    load_segmentation,
    phrase_ends,
    save_segmentation,
    speech_regions,
)
from meetings.speech.sides import read_sides, split_by_side
from meetings.speech.transcription import Transcription, transcribe
from meetings.speech.voices import Voiceprint, mean_voice, similarity

__all__ = [
    "Answer",
    "AudioInfo",
    "CallsCue",
    "Candidate",
    "Diarization",
    "Naming",
    "Region",
    "Segmentation",
    "Transcription",
    "Turn",
    "Voice",
    "Voiceprint",
    "align_words",
    "decode_audio",
    "diarize",
    "ffmpeg_binary",
    "load_audio",
    "load_segmentation",
    "map_audio",
    "mean_voice",
    "name_speakers",
    "phrase_ends",
    "read_audio",
    "read_calls_vtt",
    "read_sides",
    "save_segmentation",
    "segment",
    "sides_path",
    "similarity",
    "speech_regions",
    "split_by_side",
    "transcribe",
]
