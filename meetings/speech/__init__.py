"""Speech: from a recording to utterances with named speakers."""

from meetings.speech.alignment import align_words
from meetings.speech.audio import AudioInfo, decode_audio, ffmpeg_binary, load_audio, map_audio, read_audio
from meetings.speech.chunks import Region
from meetings.speech.diarization import Diarization, Turn, Voice, diarize
from meetings.speech.naming import CallsCue, Candidate, name_speakers, read_calls_vtt
from meetings.speech.transcription import Transcription, transcribe

__all__ = [
    "AudioInfo",
    "CallsCue",
    "Candidate",
    "Diarization",
    "Region",
    "Transcription",
    "Turn",
    "Voice",
    "align_words",
    "decode_audio",
    "diarize",
    "ffmpeg_binary",
    "load_audio",
    "map_audio",
    "name_speakers",
    "read_audio",
    "read_calls_vtt",
    "transcribe",
]
