"""`meetings summarize`: a transcript in, a summary for each person out; no audio, no server."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  meetings summarize transcript.json --people people.yml
  meetings summarize transcript.json --people people.yml --out summaries/ --explain"""
)
@click.argument("conversation", type=click.Path(path_type=Path))
@click.option(
    "--people",
    type=click.Path(path_type=Path),
    required=True,
    help="People file (YAML): who gets a summary.",
)
@click.option(
    "--writer",
    type=click.Choice(["auto", "extract", "rewrite", "compose"]),
    help="How bullets are written. auto: compose or rewrite if the language model is admitted, else extract.",
)
@click.option("--explain", is_flag=True, help="Also tell how relevant every utterance is to each person (JSON).")
@click.option("--json", "as_json", is_flag=True, help="Print the summaries as JSON.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for USERNAME.md and USERNAME.json.")
def summarize(
    conversation: Path, people: Path, writer: str | None, explain: bool, as_json: bool, out: Path | None
) -> None:
    """Summarise a transcript for each person, without audio.

    CONVERSATION is a transcript.json as `meetings process` writes it, or any file of that format. Those whose voice is
    in it, and its participants, count as having been there.
    """
    import json
    import time

    from meetings.config import load_settings
    from meetings.conversation import read_conversation
    from meetings.llm import language_model_fingerprint, open_embedder, open_language_model
    from meetings.people import FeedbackBook, build_persona, read_people, read_profiles
    from meetings.store import FileStore, write_text
    from meetings.summary import admitted_writers, render_markdown, summary_to_json
    from meetings.summary import summarize as summarize_for

    settings = load_settings()
    talk = read_conversation(conversation)
    profiles, book = read_profiles(settings.profiles), FeedbackBook(settings)
    readers = [book.apply(person, None, now=time.time()) for person in read_people(people)]
    embedder = model = None
    admitted: tuple[str, ...] = ()
    if any(u.text.strip() for u in talk.utterances):
        embedder = open_embedder(settings)
        model = open_language_model(settings)
        if model is not None:
            stamp = language_model_fingerprint(settings)
            admitted = admitted_writers(FileStore.of(settings), stamp)
    summaries = summarize_for(
        talk,
        [build_persona(person, context, profiles=profiles) for person, context in readers],
        writer=writer or settings.writer,
        admitted=admitted,
        embedder=embedder,
        language_model=model,
        explain=explain,
        attended=set(talk.participants) or None,
    )
    plain = [summary_to_json(s) for s in summaries]
    messages = [render_markdown(s, talk) for s in summaries]
    if out is not None:
        for data, message in zip(plain, messages, strict=True):
            name = data["person"]["username"]
            write_text(out / f"{name}.json", json.dumps(data, ensure_ascii=False, indent=2) + "\n")
            write_text(out / f"{name}.md", message + "\n")
    if as_json:
        click.echo(json.dumps({"summaries": plain}, ensure_ascii=False))
    elif out is not None:
        click.echo(f"{len(plain)} {'summary' if len(plain) == 1 else 'summaries'} in {out}")
    else:
        for summary, message in zip(summaries, messages, strict=True):
            click.echo(f"───── {summary.name} ({summary.username}) ─────\n\n{message}\n")
