"""``enlighten doctor``: diagnose the installation."""

from __future__ import annotations

import json

import click

from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import MissingDependencyError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object to stdout.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check this installation: what works, what is wrong, and what to do next.

    The exit code is 0 if photos can be enhanced, else 3.
    """
    from enlighten_cli.doctor import diagnose

    with results_only() as results:
        diagnosis = diagnose()
        if as_json:
            text = json.dumps(diagnosis.record(), indent=2)
        else:
            lines = []
            for section, facts in diagnosis.facts.items():
                lines.append(section)
                lines += [f"    {name:22} {value}" for name, value in facts.items()]
            lines += [f"problem: {each}" for each in diagnosis.problems]
            lines += [f"advice: {each}" for each in diagnosis.advice]
            lines.append("enhancing works here" if diagnosis.is_able else "enhancing does not work here")
            lines.append(f"next: {diagnosis.next_step}")
            text = "\n".join(lines)
        results.write(text.encode("utf-8", "replace") + b"\n")
        results.flush()
    ctx.exit(0 if diagnosis.is_able else MissingDependencyError.exit_code)
