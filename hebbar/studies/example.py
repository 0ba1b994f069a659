"""The command line of an example: the options that its function takes, and its exit.

    def main(seeds: Seeds = 5, quick: Quick = False, backend: Backend = "fast") -> str | None:
        ...

    if __name__ == "__main__":
        run(main)
"""

import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

__all__ = ["Backend", "Epochs", "Noise", "Quick", "Samples", "Seeds", "run"]

Seeds = Annotated[int, typer.Option(min=1, help="Seeds of weights, order and split.")]
Samples = Annotated[int, typer.Option(min=1, help="Samples that are looked at.")]
Epochs = Annotated[int, typer.Option(min=1, help="Epochs of the training.")]
Noise = Annotated[float, typer.Option(min=0, help="Standard deviation of the noise, of pixels from 0 to 1.")]
Quick = Annotated[bool, typer.Option("--quick", help="Few samples, seeds and epochs: does it run?")]
Backend = Annotated[str, typer.Option(help="What runs the RTL, as for hebbar simulate, but not golden.")]


def run(main: Callable[..., str | None]) -> None:
    """Run the function of an example with the options of the command line and exit: 0 when it returns None, 1 with the
    sentence that it returns, 2 for options that it does not take."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(help=inspect.getdoc(inspect.getmodule(main) or main))(main)
    try:
        code: Any = app(standalone_mode=False)
    except Exception as error:
        if not hasattr(error, "format_message"):  # anything but an option that there is not
            raise
        print(f"{sys.argv[0]}: {error.format_message()} See --help.", file=sys.stderr)
        sys.exit(2)
    sys.exit(code)
