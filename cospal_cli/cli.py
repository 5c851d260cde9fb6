"""The ``cospal`` command: a group whose commands are imported only when they run."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import click

from cospal_cli import __version__
from cospal_cli.commands.console import (
    occupy_streams,
    printable,
    say,
    say_traceback,
    silence_stdout,
)
from cospal_cli.commands.lazy import lazy_group
from cospal_cli.core.errors import CospalError, DeviceError
from cospal_cli.core.foreign import of_system, reason
from cospal_cli.core.json_types import JsonDict

COMPLETION = "_COSPAL_COMPLETE"  # set by a shell that asks what may come next
SIGNAL = 128  # exit codes above are a signal's number more
REPORT = "this is a bug in cospal: please report it with the lines above"
COMMANDS = {
    "ground": ("cospal_cli.commands.ground:ground", "Find the subject of a sentence in a video."),
    "convert": ("cospal_cli.commands.convert:convert", "Write stored tubes in other formats."),
    "index": ("cospal_cli.commands.index:index", "Watch videos once, for any number of searches."),
    "search": ("cospal_cli.commands.search:search", "Find the videos that a sentence is about."),
    "library": ("cospal_cli.commands.library:library", "List, check and repair a library."),
    "data": ("cospal_cli.commands.data:data", "Check, prepare and generate data sets."),
    "train": ("cospal_cli.commands.train:train", "Train heads on videos and their sentences."),
    "export": ("cospal_cli.commands.export:export", "Export trained heads for other runtimes."),
    "evaluate": ("cospal_cli.commands.evaluate:evaluate", "Score predictions on a data set."),
    "report": ("cospal_cli.commands.report:report", "Make an HTML page of stored results."),
    "bench": ("cospal_cli.commands.bench:bench", "Measure speed on this machine."),
    "models": ("cospal_cli.commands.models:models", "List, fetch and check backbones."),
    "doctor": ("cospal_cli.commands.doctor:doctor", "Show what is installed and what works."),
    "config": ("cospal_cli.commands.config:config", "Show settings and where they come from."),
}


@click.group(cls=lazy_group(COMMANDS), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cospal")
def cli() -> None:
    """Find the one subject that a sentence means in a video: its box in every frame, from start
    to end."""


class Terminated(BaseException):
    """SIGTERM arrived; unwinds the stack so that unfinished files are removed."""


def main() -> NoReturn:
    """Entry point: run the arguments of this process and exit with their code."""
    occupy_streams()
    code = run(sys.argv[1:])
    if code > SIGNAL:  # at once: a thread may still be inside a model, and must not be waited for
        with suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        os._exit(code)
    if code:  # what stdout did not take must not fail once more at exit
        silence_stdout()
    gc.freeze()  # looking for cycles among all that is about to go takes 30 ms
    sys.exit(code)


def run(args: Sequence[str]) -> int:
    """Run one command line; every failure becomes lines on stderr and the exit code returned."""
    state: JsonDict = {"debug": False}
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _run(args, state)
    except CospalError as error:
        code = error.exit_code
        _explain(error.message, error.hint, state)
    except click.exceptions.NoArgsIsHelpError as error:
        code = error.exit_code
        click.echo(error.format_message(), err=True)
    except click.ClickException as error:
        code = error.exit_code
        context = getattr(error, "ctx", None)
        where = f"{context.command_path} --help" if context else "cospal --help"
        _explain(error.format_message(), f"see '{where}'", state)
    except (KeyboardInterrupt, click.Abort):
        code = SIGNAL + signal.SIGINT
        say("error: interrupted")
    except Terminated:
        code = SIGNAL + signal.SIGTERM
        say("error: terminated")
    except BrokenPipeError:  # whoever read our output has left: nothing to say, nobody to hear it
        code = SIGNAL + 13
    except Exception as error:
        code = _unexpected(error, state)
    finally:
        signal.signal(signal.SIGTERM, previous)
    return code


def _run(args: Sequence[str], state: JsonDict) -> int:
    """Run the group; what is left in stdout's buffer must fail here, not at exit."""
    try:
        result = cli.main(list(args), prog_name="cospal", standalone_mode=False, obj=state)
    except click.exceptions.Exit as stop:
        result = stop.exit_code
    except SystemExit as stop:
        if COMPLETION in os.environ:  # click has answered a shell
            return int(stop.code or 0)
        raise BrokenPipeError from None  # click's own answer to a closed pipe
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            raise DeviceError(f"cannot write to stdout: {reason(error)}") from error
    return result if isinstance(result, int) else 0


def _unexpected(error: Exception, state: JsonDict) -> int:
    """The exit code of an error that no border turned into ours: the system's, or a bug."""
    ours = of_system(error)
    if ours is None:
        say_traceback()
        say(f"error: {REPORT}")
        return 1
    _explain(ours.message, ours.hint, state)
    return ours.exit_code


def _explain(message: str, hint: str, state: JsonDict) -> None:
    """Two lines: what is wrong, what to do; the traceback before them under --debug."""
    if state["debug"]:
        say_traceback()
    say(f"error: {printable(message)}")
    if hint:
        say(f"hint: {printable(hint)}")


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated
