"""`meetings ask`: a question, answered by what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from meetings.search.questions import Answer


@click.command(
    epilog="""\b
Examples:
  meetings ask "what did we decide about the parser?"
  meetings ask "when does the beta start?" --since 4w
  meetings ask "who takes care of the invoices?" --channel acme/product --person ben.okoye --json"""
)
@click.argument("question")
@click.option("--channel", "address", metavar="TEAM/CHANNEL", help="Only calls of this channel.")
@click.option("--since", metavar="AGO|DATE", help="Only meetings since then: 12h, 7d, 2w or a date.")
@click.option("--person", metavar="USER", help="Only what this user of Mattermost may read now.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def ask(question: str, address: str | None, since: str | None, person: str | None, as_json: bool) -> None:
    """Answer a question from what was said in meetings.

    The answer is one to three sentences as they were said, each with who said it, where and when; the newest first
    where something was decided or promised again. Where it is not sure that they answer, that is said; where nothing
    was found, what was looked at. A language model on this machine that passed `meetings models admit` puts an answer
    into a sentence of its own above them, if every claim in it was said; else the words that were said are the answer.
    """
    import json

    from meetings.cli.search import bring_up_to_date, embedder_of, reader_and_filters
    from meetings.config import load_settings
    from meetings.search import open_index
    from meetings.search.answers import answer_to_json
    from meetings.search.questions import ask as look_up
    from meetings.search.wording import admitted_model, put_into_words

    settings = load_settings()
    embedder = embedder_of(settings)
    with open_index(settings) as index:
        bring_up_to_date(settings, index, embedder)
        reader, filters = reader_and_filters(settings, index, person=person, address=address, since=since)
        answer = look_up(index, question, reader, embedder=embedder(), filters=filters)
    if answer.answers:
        answer = put_into_words(answer, admitted_model(settings), embedder())
    if as_json:
        click.echo(json.dumps(answer_to_json(answer), ensure_ascii=False, indent=2))
    else:
        _print(answer)


def _print(answer: Answer) -> None:
    from meetings.conversation import clock
    from meetings.search.answers import lacking, looked_at
    from meetings.search.render import when

    if not answer.quotes:
        click.echo("Nothing was found that answers that.")
        looked = answer.looked
        if looked is not None:
            click.echo(one_line(looked_at(looked)))
            if said := [w for w in looked.words if w not in looked.unsaid]:
                click.echo(f'Where that was spoken of: meetings search "{one_line(" ".join(said))}"')
        return
    if answer.sentence:
        click.echo(f"{one_line(answer.sentence)}\n")
    if not answer.answers:
        click.echo(f"{lacking(answer)} What was said:")
    for quote in answer.quotes:
        where = ", ".join(p for p in (one_line(quote.card.title), when(quote.card), clock(quote.start)) if p)
        if quote.replies_to:
            click.echo(f"Asked: “{one_line(quote.replies_to)}”")
        click.echo(f"{'Earlier: ' if quote.earlier else ''}“{one_line(quote.text)}”")
        click.echo(f"  {one_line(quote.speaker)}, {one_line(where)}")
