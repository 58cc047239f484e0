"""`meetings config`: settings and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping

import click


@click.group(epilog="Example: meetings config show")
def config() -> None:
    """Show settings and where each value came from."""


@config.command(epilog="Example: meetings config show --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool) -> None:
    """Show every setting, its value, its origin and what it means. Secrets are never shown."""
    import json

    from pydantic import SecretStr

    from meetings.config import Settings, load_settings_with_origins

    loaded = load_settings_with_origins()
    rows = []
    for key, field in Settings.model_fields.items():
        value = getattr(loaded.settings, key)
        if key == "models" and value is None:
            value = loaded.settings.models_folder
        if isinstance(value, SecretStr):
            value = "(set)"
        if key == "retention":
            kinds = type(value).model_fields
            kept = {kind: loaded.settings.days_kept(kind) for kind in kinds}
            value = ", ".join(f"{kind} {'forever' if days is None else days}" for kind, days in kept.items())
        if key == "channels":
            value = tuple(
                f"{name} ({rules.retention})" if str(rules.retention) else name for name, rules in value.items()
            )
        if isinstance(value, tuple | Mapping):
            value = ", ".join(value) or None
        rows.append(
            {
                "key": key,
                "value": None if value is None else str(value),
                "origin": loaded.origins[key],
                "about": field.description or "",
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("setting", "value", "from", "meaning"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row["key"], row["value"] or "", row["origin"], row["about"])
    Console().print(table)


@config.command(epilog="Example: meetings config path")
def path() -> None:
    """Print the files that are read, the stronger last.

    MEETINGS_CONFIG names one file that is read alone.
    """
    import os
    from pathlib import Path

    import platformdirs

    from meetings.config import CONFIG_NAME

    named = os.environ.get("MEETINGS_CONFIG")
    usual = [Path(platformdirs.user_config_dir("meetings")) / CONFIG_NAME, Path.cwd() / CONFIG_NAME]
    for file in [Path(named)] if named else usual:
        click.echo(f"{file}{'' if file.is_file() else '  (not there)'}")
