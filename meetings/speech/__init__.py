"""Speech: from a recording to utterances with named speakers."""

from meetings.speech.alignment import align_words
from meetings.speech.audio import AudioInfo, decode_audio, ffmpeg_binary, load_audio
from meetings.speech.calls_transcript import read_calls_vtt
from meetings.speech.candidates import Candidate
from meetings.speech.clocks import CallsCue
from meetings.speech.diarization import Diarization, Turn, Voice, diarize
from meetings.speech.naming import Answer, Naming, name_speakers
from meetings.speech.transcription import Transcription, transcribe
from meetings.speech.voices import Voiceprint, mean_voice, similarity

__all__ = [
    "Answer",
    "AudioInfo",
    "CallsCue",
    "Candidate",
    "Diarization",
    "Naming",
    "Transcription",
    "Turn",
    "Voice",
    "Voiceprint",
    "align_words",
    "decode_audio",
    "diarize",
    "ffmpeg_binary",
    "load_audio",
    "mean_voice",
    "name_speakers",
    "read_calls_vtt",
    "similarity",
    "transcribe",
]
