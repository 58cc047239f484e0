"""All speech is in windows, each instant in one, and a window knows where its instants lie."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from meetings.speech.chunks import WINDOW, Region, Window, halve, pack_windows, parts, tidy

DURATION = 400.0

times = st.floats(min_value=0.0, max_value=DURATION, allow_nan=False)
regions = st.lists(st.tuples(times, times).map(lambda t: Region(start=min(t), end=max(t))), max_size=30)
turn_ends = st.lists(times, max_size=30)


def middle(lo: float, hi: float) -> float:
    return (lo + hi) / 2


@given(regions, turn_ends)
def test_every_instant_of_speech_is_in_exactly_one_window(found: list[Region], ends: list[float]) -> None:
    windows = pack_windows(found, duration=DURATION, turn_ends=ends, quietest=middle)
    pieces = [p for w in windows for p in w.pieces]
    assert all(a.end <= b.start for a, b in pairwise(pieces))
    speech = sum(r.duration for r in tidy(found, duration=DURATION))
    assert abs(sum(p.duration for p in pieces) - speech) < 1e-6
    for region in found:
        inside = sum(max(0.0, min(p.end, region.end) - max(p.start, region.start)) for p in pieces)
        assert abs(inside - region.duration) < 1e-6


@given(regions, turn_ends)
def test_no_window_is_longer_than_whisper_reads(found: list[Region], ends: list[float]) -> None:
    windows = pack_windows(found, duration=DURATION, turn_ends=ends, quietest=middle)
    assert all(w.duration <= WINDOW + 1e-6 for w in windows)


@given(regions, st.lists(st.floats(min_value=0.0, max_value=WINDOW), min_size=2, max_size=8))
def test_times_are_mapped_back_in_order_and_exactly(found: list[Region], at: list[float]) -> None:
    for window in pack_windows(found, duration=DURATION, quietest=middle):
        inside = [t for t in sorted(at) if t <= window.duration]
        placed = [window.place(t, t).start for t in inside]
        assert placed == sorted(placed)
        for t, there in zip(inside, placed, strict=True):
            before = sum(max(0.0, min(p.end, there) - p.start) for p in window.pieces)
            assert abs(before - t) < 1e-6


def test_windows_are_packed_as_full_as_pauses_allow() -> None:
    talk = [Region(start=i * 12.0, end=i * 12.0 + 9.0) for i in range(9)]
    windows = pack_windows(talk, duration=120.0)
    assert [len(w.pieces) for w in windows] == [3, 3, 3]


def test_a_long_stretch_is_cut_where_a_turn_ends() -> None:
    windows = pack_windows([Region(start=0.0, end=50.0)], duration=50.0, turn_ends=[24.0])
    assert [w.end for w in windows] == [24.0, 50.0]


def test_without_a_hint_a_long_stretch_is_cut_where_it_is_quiet() -> None:
    windows = pack_windows([Region(start=0.0, end=50.0)], duration=50.0, quietest=lambda _lo, hi: min(27.5, hi))
    assert [w.end for w in windows] == [27.5, 50.0]


def test_a_word_over_a_seam_stays_on_the_side_with_more_of_it() -> None:
    window = Window(pieces=(Region(start=10.0, end=12.0), Region(start=20.0, end=22.0)))
    assert window.place(1.5, 2.2) == Region(start=11.5, end=12.0)
    assert window.place(1.9, 2.5) == Region(start=20.0, end=20.5)


def test_halves_and_parts_hold_what_the_window_held() -> None:
    window = Window(pieces=(Region(start=0.0, end=4.0), Region(start=10.0, end=26.0)))
    halves = halve(window, middle)
    assert halves is not None
    assert [h.pieces for h in halves] == [
        (Region(start=0.0, end=4.0), Region(start=10.0, end=16.0)),
        (Region(start=16.0, end=26.0),),
    ]
    some = parts(window, 5.0, middle)
    assert all(p.duration <= 5.0 for p in some)
    assert abs(sum(p.duration for p in some) - window.duration) < 1e-6


def test_a_window_too_short_to_halve_stays_whole() -> None:
    assert halve(Window(pieces=(Region(start=0.0, end=2.0),)), middle) is None
