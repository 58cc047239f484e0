"""Several answers at once over one prefix, in one llama.cpp context.

The prefix is read once into sequence 0; every prompt continues a copy of it, which costs no memory, and all of them
take their next token in one pass through the weights. Written against the low-level calls of llama-cpp-python, whose
version is pinned for it (llama.cpp, examples/parallel and examples/batched).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import llama_cpp

# Tokens that go through the weights in one pass while a prompt is read (llama.cpp's own default).
BATCH = 2048

# token, position, sequence, whether the token after it is asked for
Entry = tuple[int, int, int, bool]


class DecodeError(Exception):
    """llama.cpp refused a batch."""


@dataclass(slots=True, kw_only=True)
class Stream:
    """One prompt on its way: where it stands, what came so far, and why it ended."""

    sequence: int
    sampler: Any
    position: int
    answer: bytearray = field(default_factory=bytearray)
    made: int = 0
    # Ended by the model itself or by a stop text, not by the limit.
    finished: bool = False
    live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An answer, and whether the model came to its end."""

    text: str
    finished: bool


class Sequences:
    """A context for `sequences` prompts at once, with room for `cells` tokens in all."""

    def __init__(self, model: Any, *, cells: int, sequences: int, threads: int, flash: bool = False) -> None:
        """Make the context.

        Args:
            model: a loaded llama.cpp model; it must outlive this object.
            cells: tokens that prefix, prompts and answers may have together.
            sequences: prompts that are continued at once, at most.
            threads: CPU threads.
            flash: let llama.cpp use flash attention. On a CPU it adds up in half precision: with smollm2-135m the
                likeliest token changed where it led by 0.2, and two answers in four, asked together, were others
                than asked alone; without it none.

        Raises:
            DecodeError: there is no memory for it.
        """
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = min(BATCH, cells)
        params.n_seq_max = sequences + 1  # one holds the prefix
        params.kv_unified = True
        if not flash:
            params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.n_threads = params.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(model, params)
        if not self._context:
            raise DecodeError(f"no memory for a context of {cells} tokens")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._vocab = llama_cpp.llama_model_get_vocab(model)
        self._cells, self._sequences = cells, sequences
        self._batch_size = int(params.n_batch)
        self._batch = llama_cpp.llama_batch_init(self._batch_size, 0, 1)
        self._prefix: tuple[int, ...] = ()

    def close(self) -> None:
        """Give the memory back."""
        if self._context:
            llama_cpp.llama_batch_free(self._batch)
            llama_cpp.llama_free(self._context)
            self._context = None

    def forget(self) -> None:
        """Read the next prefix anew, even if it is the last one."""
        llama_cpp.llama_memory_clear(self._memory, True)
        self._prefix = ()

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        shared: int,
        max_tokens: int,
        sampler: Callable[[], Any],
        stop: Sequence[str] = (),
    ) -> list[Ended]:
        """Continue every prompt.

        Args:
            prompts: tokens; each fits the cells together with its answer.
            shared: how many first tokens all of them have in common; less than the shortest has.
            max_tokens: the longest answer.
            sampler: makes the sampler of one answer; it is freed here.
            stop: texts that end an answer and are not part of it.

        Raises:
            DecodeError: llama.cpp refused.
        """
        answers: list[Ended] = []
        try:
            self._read_prefix(tuple(prompts[0][:shared]))
            for group in self._groups([len(p) - shared + max_tokens for p in prompts], room=self._cells - shared):
                tails = [prompts[i][shared:] for i in group]
                answers += self._together(tails, shared, max_tokens, sampler, [s.encode() for s in stop])
        except BaseException:
            # What a broken-off run left in memory must not become part of the next prompt.
            self.forget()
            raise
        return answers

    def _groups(self, sizes: Sequence[int], *, room: int) -> Iterator[list[int]]:
        """Prompts in their order, as many at once as the memory and the number of sequences allow."""
        group: list[int] = []
        used = 0
        for number, size in enumerate(sizes):
            if group and (used + size > room or len(group) == self._sequences):
                yield group
                group, used = [], 0
            group.append(number)
            used += size
        if group:
            yield group

    def _read_prefix(self, prefix: tuple[int, ...]) -> None:
        # The very same prefix or none: a part of another one was read in other batches, which decides near-ties.
        if prefix == self._prefix:
            return
        self.forget()
        self._decode([(token, position, 0, False) for position, token in enumerate(prefix)])
        self._prefix = prefix

    def _together(
        self,
        tails: Sequence[Sequence[int]],
        shared: int,
        max_tokens: int,
        sampler: Callable[[], Any],
        stop: Sequence[bytes],
    ) -> list[Ended]:
        streams: list[Stream] = []
        try:
            entries: list[Entry] = []
            for sequence, tail in enumerate(tails, start=1):
                llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
                streams.append(Stream(sequence=sequence, sampler=sampler(), position=shared + len(tail)))
                last = len(tail) - 1
                entries += [(token, shared + n, sequence, n == last) for n, token in enumerate(tail)]
            while entries:
                tokens = self._decode(entries, {s.sequence: s for s in streams})
                entries = []
                for stream in streams:
                    if stream.live and self._take(stream, tokens[stream.sequence], max_tokens, stop):
                        entries.append((tokens[stream.sequence], stream.position, stream.sequence, True))
                        stream.position += 1
            return [Ended(text=s.answer.decode("utf-8", errors="ignore"), finished=s.finished) for s in streams]
        finally:
            for stream in streams:
                llama_cpp.llama_sampler_free(stream.sampler)
                llama_cpp.llama_memory_seq_rm(self._memory, stream.sequence, -1, -1)

    def _take(self, stream: Stream, token: int, max_tokens: int, stop: Sequence[bytes]) -> bool:
        """Add a token to an answer; whether another one is wanted."""
        if llama_cpp.llama_vocab_is_eog(self._vocab, token):
            stream.live, stream.finished = False, True
            return False
        stream.answer += self._piece(token)
        stream.made += 1
        ends = [at for text in stop if (at := stream.answer.find(text)) >= 0]
        if ends:
            del stream.answer[min(ends) :]
            stream.finished = True
        stream.live = not ends and stream.made < max_tokens
        return stream.live

    def _piece(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            # Special tokens are markup, not text: they come out empty.
            written = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if written >= 0:
                return buffer.raw[:written]
            size = -written

    def _decode(self, entries: Sequence[Entry], streams: dict[int, Stream] | None = None) -> dict[int, int]:
        """Run entries through the model, a batch at a time; the token that each stream is to take next."""
        chosen: dict[int, int] = {}
        batch = self._batch
        for start in range(0, len(entries), self._batch_size):
            part = entries[start : start + self._batch_size]
            for i, (token, position, sequence, wanted) in enumerate(part):
                batch.token[i], batch.pos[i] = token, position
                batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
                batch.logits[i] = wanted
            batch.n_tokens = len(part)
            code = llama_cpp.llama_decode(self._context, batch)
            if code:
                why = "its context is full" if code == 1 else f"llama_decode returned {code}"
                raise DecodeError(why)
            # Logits are those of the last batch alone: take the tokens before the next one.
            for i, (_, _, sequence, wanted) in enumerate(part):
                if wanted and streams is not None:
                    chosen[sequence] = int(llama_cpp.llama_sampler_sample(streams[sequence].sampler, self._context, i))
        return chosen
