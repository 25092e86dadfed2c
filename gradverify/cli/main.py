"""The group of commands, loaded on use, and what becomes of exceptions."""

from __future__ import annotations

import os
import signal
import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import click

from gradverify import __version__
from gradverify.errors import GradverifyError, nearest_name
from gradverify.exit_codes import ExitCode

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["main"]

# What a shell sets that asks for completions.
COMPLETION = "_GRADVERIFY_COMPLETE"

# Name: (where the command is, its line in the help); importing a command is left to its use.
_COMMANDS = {
    "run": ("gradverify.cli.run:run", "Verify every case: geometry, contracts, gradients."),
    "audit": ("gradverify.cli.audit:audit", "Check the size identity of windowed layers; runs no user code."),
    "sweep": ("gradverify.cli.sweep:sweep", "Verify over a grid; ends with a stride x padding map."),
    "layers": ("gradverify.cli.layers:layers", "List the built-in layers, or show one."),
    "init": ("gradverify.cli.init:init", "Write a commented starting spec."),
    "explain": ("gradverify.cli.explain:explain", "Say what a finding's rule means, with an example."),
    "schema": ("gradverify.cli.schema:schema", "Print the JSON Schema of the spec, for editors."),
}


class _Commands(click.Group):
    """Knows its commands by name and imports the one that is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  as above
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = resolve_name(_COMMANDS[cmd_name][0])
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"'{name}' is not a command, {nearest_name(name, tuple(_COMMANDS))}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        from gradverify.cli.completion import items  # noqa: PLC0415  only shells ask

        # click's own would import every command for its line of help.
        named = items(((name, line) for name, (_, line) in _COMMANDS.items()), incomplete)
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # bare click would exit 1, "a check failed"
            # Whoever read our output has seen enough; the interpreter must not complain about it while it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(ExitCode.BROKEN_PIPE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 pass, 1 fail or inconclusive, 2 wrong usage or spec, 3 user code failed, 5 nothing ran.",
)
@click.version_option(__version__, prog_name="gradverify", message="%(prog)s %(version)s")
def commands() -> None:
    """Verify hand-written backward passes and the geometry of windowed layers."""


def main() -> None:
    """Run the command line and exit.

    Every way out has its own code: bare click would exit 1, "a check failed", on Ctrl-C and on uncaught exceptions.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if COMPLETION in os.environ:
        from gradverify.cli.shells import complete  # noqa: PLC0415  as above

        sys.exit(complete(commands, COMPLETION))
    # A CI job that is cancelled sends this one: what has finished is reported all the same.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = commands.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except GradverifyError as error:
        click.echo(f"{error}" if hasattr(error, "problems") else f"Error: {error}", err=True)
        code = ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001  the last resort: say so, and exit with a code of its own
        import traceback  # noqa: PLC0415  only here

        traceback.print_exc()
        click.echo("gradverify itself failed; please report this with the lines above", err=True)
        code = ExitCode.INTERNAL
    sys.exit(code)
