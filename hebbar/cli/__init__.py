"""The ``hebbar`` command. It imports nothing until Ctrl-C is watched for."""

import os
import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> None:
    """Entry point: errors become one sentence and an exit code, never a stack trace."""
    from hebbar.contract import interrupts

    interrupts.catch()
    code = 0
    try:
        try:
            code = _command()
        except BaseException as error:
            if interrupts.caught() is None:
                code = _failed(error)
        interrupts.ignore()  # the work is done
    except KeyboardInterrupt:
        pass
    if number := interrupts.caught():
        interrupts.leave(number)
    sys.exit(code)


def _command() -> int:
    """Run the command; its exit code."""
    from hebbar.contract.files import release
    from hebbar.contract.places import settle

    from .app import app

    settle()
    try:
        code = app(standalone_mode=False)
    except SystemExit as ended:
        if ended.code:
            raise
        code = 0  # completion for a shell has answered, and so ends the program
    finally:
        release()
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _failed(error: BaseException) -> int:
    """Say in a sentence what went wrong; the exit code."""
    from hebbar.contract.errors import Exit, HebbarError, explained
    from hebbar.contract.files import tidy
    from hebbar.contract.processes import end_all

    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):  # typer makes it an exit
        _hang_up()
    end_all()
    tidy()
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        print("hebbar: interrupted; nothing half-written was left.", file=sys.stderr)
        return 130
    known = error if isinstance(error, HebbarError) else explained(error)
    if known:
        print(f"hebbar: {known}", file=sys.stderr)
        return known.code
    if hasattr(error, "format_message"):
        print(f"hebbar: {error.format_message()} See hebbar --help.", file=sys.stderr)
        return Exit.BAD_INPUT
    from .defect import report

    print(f"hebbar: {report(error)}", file=sys.stderr)
    return Exit.DEFECT


def _hang_up() -> NoReturn:
    """Whoever read our output has gone, as ``head`` does when it has seen enough: end as other programs do then."""
    from hebbar.contract.files import tidy
    from hebbar.contract.processes import end_all

    end_all()
    tidy()
    os._exit(141)  # 128 + SIGPIPE
