"""The group of commands; `enhance` is the default one."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from enlighten_cli import __version__
from enlighten_cli.cli.choices import with_paths
from enlighten_cli.cli.commands import DEFAULT, NAMES
from enlighten_cli.cli.console import say, visible
from enlighten_cli.cli.streams import replace_closed
from enlighten_cli.errors import EnlightenError, UsageError, did_you_mean

INTERNAL_ERROR = 70  # EX_SOFTWARE of BSD's sysexits.h
INTERRUPTED = 130  # 128 + SIGINT
GARBAGE_THRESHOLD = 100_000  # objects
GROUP_OPTIONS = ("--help", "-h", "--version", "-V")


class DefaultCommandGroup(click.Group):
    """A group whose default command is `enhance`: it runs unless the first argument names another.

    A command is imported when it is asked for.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program."""
        replace_closed()
        # By default, garbage is searched for hundreds of times while modules are imported, and again in all that is
        # there when the program ends: a third of the time that a small photo takes.
        gc.set_threshold(GARBAGE_THRESHOLD)
        atexit.register(gc.freeze)
        return super().main(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert the default command if none is named."""
        if args and args[0] not in self.list_commands(ctx) and args[0] not in GROUP_OPTIONS:
            self._refuse_misspelt(ctx, args[0])
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*self.commands, *NAMES})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None if there is no such one."""
        if cmd_name in NAMES and cmd_name not in self.commands:
            self.add_command(getattr(import_module(f"enlighten_cli.cli.commands.{cmd_name}"), cmd_name))
        return super().get_command(ctx, cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Suggest commands, and the arguments of `enhance`."""
        items = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("-"):
            return with_paths(items, incomplete)
        taken = {item.value for item in items}
        enhance = self.get_command(ctx, DEFAULT)
        assert enhance is not None
        with enhance.make_context(DEFAULT, [], parent=ctx, resilient_parsing=True) as default:
            return [*items, *(item for item in enhance.shell_complete(default, incomplete) if item.value not in taken)]

    def _refuse_misspelt(self, ctx: click.Context, word: str) -> None:
        """Refuse a misspelt command before its options are parsed as those of `enhance`."""
        near = get_close_matches(word, self.list_commands(ctx), n=1)
        if near and not word.startswith("-") and not os.path.lexists(word) and not ctx.resilient_parsing:
            say(f"enlighten: {word}: no such photo, folder or command; did you mean `enlighten {near[0]}`?")
            ctx.exit(UsageError.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and turn its failure into one line and an exit code."""
        try:
            return super().invoke(ctx)
        except EnlightenError as error:
            _show_traceback_if_asked(ctx)
            first, *more = error.lines
            say(f"enlighten: {first}", *more)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            say("enlighten: interrupted")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # The reader closed the pipe. Python would report an error when it flushes stdout at exit.
            if sys.stdout is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except click.ClickException as error:
            # Click prints this message itself, and it may quote arguments that contain control characters.
            vars(error)["message"] = "\n".join(map(visible, error.message.splitlines()))
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except FileNotFoundError as error:
            _show_traceback_if_asked(ctx)
            if _working_folder_exists():
                say(f"enlighten: internal error: {type(error).__name__}: {error}")
                ctx.exit(INTERNAL_ERROR)
            say("enlighten: the working folder was deleted; change to another folder")
            ctx.exit(UsageError.exit_code)
        except Exception as error:
            _show_traceback_if_asked(ctx)
            say(f"enlighten: internal error: {type(error).__name__}: {error}")
            ctx.exit(INTERNAL_ERROR)


def _working_folder_exists() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _show_traceback_if_asked(ctx: click.Context) -> None:
    if ctx.meta.get("verbosity", 0) >= 2:
        import traceback

        traceback.print_exc(file=sys.stderr)


@click.group(
    cls=DefaultCommandGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    epilog="`enlighten PHOTO -o OUT` is short for `enlighten enhance PHOTO -o OUT`; see: enlighten enhance --help",
)
@click.version_option(__version__, "-V", "--version", prog_name="enlighten")
def main() -> None:
    """Brighten dark photos."""


@main.command("help", hidden=True)
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def show_help(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a command, or of the program."""
    assert ctx.parent is not None
    command: click.Command = main
    context = ctx.parent
    for word in words:
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is None:
            known = command.list_commands(context) if isinstance(command, click.Group) else ()
            raise UsageError(f"{word}: no such command{did_you_mean(word, known)}; see: enlighten --help")
        command, context = found, click.Context(found, info_name=word, parent=context)
    click.echo(command.get_help(context))


@main.command("version", hidden=True)
def show_version() -> None:
    """Show the version."""
    click.echo(f"enlighten, version {__version__}")
