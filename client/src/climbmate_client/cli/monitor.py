"""`climbmate monitor`: every service's memory against its limit and how its work goes, live."""

import time

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from climbmate_client.cli.exits import explained
from climbmate_client.cli.report import plain_console
from climbmate_client.errors import Unreachable
from climbmate_client.monitor.look import Seen, Watcher
from climbmate_client.monitor.table import History, as_json, render
from climbmate_client.wire import is_local


def _targets(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """Split NAME=ADDRESS."""
    targets = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(targets) < len(pairs) or not all(map(all, targets.items())):
        raise click.BadParameter("must be NAME=ADDRESS, each name once, for example detector=127.0.0.1:50051.")
    return targets


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The gateway's address.")
@click.option(
    "--service",
    "targets",
    multiple=True,
    metavar="NAME=ADDRESS",
    callback=_targets,
    help="Ask this service directly, over gRPC, also when the gateway is away. May be given several times.",
)
@click.option("--every", "every_s", type=click.FloatRange(0.2, 60), default=1.0, show_default=True, help="Seconds.")
@click.option("--once", is_flag=True, help="Look once, print the table, end; exit code 3 when nothing answers.")
@click.option("--json", "json_lines", is_flag=True, help="Print one line of JSON for each look instead.")
def monitor(*, url: str, targets: dict[str, str], every_s: float, once: bool, json_lines: bool) -> None:
    """Watch detector, colorizer and gateway until Ctrl-C.

    What the services say comes through the gateway. Where it is on this machine, services that do not answer, as
    processes or in containers, are shown as the kernel sees them.
    """
    with explained():
        watcher = Watcher(url, targets, local=is_local(url))
    try:
        with explained():
            if once or json_lines:
                _print(watcher, every_s, once=once, json_lines=json_lines)
            else:
                _show(watcher, every_s)
    except click.exceptions.Exit:  # by Ctrl-C, the usual way to end it
        if once:
            raise
    finally:
        watcher.close()


def _print(watcher: Watcher, every_s: float, *, once: bool, json_lines: bool) -> None:
    while True:
        seen = watcher.look()
        if once and not any(each.health or each.memory for each in seen):
            raise Unreachable(f"Nothing answers at {watcher.url}, and no service runs on this machine.")
        if json_lines:
            click.echo(as_json(seen))
        else:
            console = plain_console()
            console.print(render(seen, _noted(History(), seen), console.width))
        if once:
            return
        time.sleep(every_s)


def _show(watcher: Watcher, every_s: float) -> None:
    history = History()
    with Live(console=plain_console(), screen=False, auto_refresh=False) as live:
        while True:
            seen = watcher.look()
            head = Text(f"climbmate at {watcher.url}, {time.strftime('%H:%M:%S')}; Ctrl-C ends", "dim")
            live.update(Group(head, render(seen, _noted(history, seen), live.console.width)), refresh=True)
            time.sleep(every_s)


def _noted(history: History, seen: list[Seen]) -> History:
    history.note(seen)
    return history
