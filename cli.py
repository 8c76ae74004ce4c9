"""The command line: verbs, and what each of them does."""

import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

import tasks
from tasks.engine import options, outputs, summaries, terminal
from tasks.engine.config import (
    Json,
    JsonObject,
    SettingError,
    nearest,
    offered_fields,
    setting_types,
)
from tasks.engine.signals import ENDING


class Verb(click.Group):
    """A verb: one subcommand for each task, with the fields of the task's config as options.

    Args:
        call: Gets the task's name, the verb's own parameters, and as `settings` what the user typed of the
            config.
        extra: The verb's own parameters.
    """

    def __init__(self, call: Callable[..., None], *, extra: Sequence[click.Parameter], **attrs: Any) -> None:
        super().__init__(**attrs, options_metavar="", subcommand_metavar="TASK [OPTIONS]")
        self.call, self.extra = call, extra

    def list_commands(self, ctx: click.Context) -> list[str]:
        return tasks.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in tasks.names():
            raise SettingError(f"No task is named {cmd_name!r}{nearest(cmd_name, tasks.names())}")
        config = tasks.config_class(cmd_name)
        taken = {param.name for param in self.extra}
        fields = [field for field in offered_fields(config, str(self.name)) if field.name not in taken]
        own = {field.name for field in fields}

        @click.pass_context
        def call(ctx: click.Context, /, **values: Json) -> None:
            settings = {
                name: options.json_value(value)
                for name, value in values.items()
                if name in own and options.is_typed(ctx, name)
            }
            self.call(cmd_name, **{name: value for name, value in values.items() if name not in own}, settings=settings)

        shown = self.name in ("train", "tune")  # afterwards, what counts is what the run was trained with
        own_options = [options.click_option(field, setting_types(config)[field.name], shown) for field in fields]
        return click.Command(cmd_name, params=[*self.extra, *own_options], help=tasks.summary(cmd_name), callback=call)


def train(
    task: str,
    preset: str | None,
    config: Path | None,
    run: Path | None,
    resume: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    settings: JsonObject,
    **spreading: Any,
) -> None:
    if resume and (preset or config):
        raise SettingError("`--resume` goes on with the settings of its run; leave out `--preset` and `--config`.")
    spread = options.distribution(**spreading)
    send_notices(quiet or not spread.is_first)
    if dry_run:
        options.check_dry_run(run, resume, spread)
        found = tasks.dry_run(task, preset, file=config, **settings)
        with outputs.standard_output():
            summaries.show_dry_run(found, as_json)
        return
    show = not quiet and spread.is_first and sys.stderr.isatty()
    pipeline = tasks.train(task, run, preset, file=config, resume=resume, progress=show, spread=spread, **settings)
    if not spread.is_first:
        return
    with outputs.standard_output():
        summaries.show_summary(json.loads((pipeline.run / "metrics.json").read_text(encoding="utf-8")), as_json)
    if not quiet:
        click.echo(f"Everything is in {pipeline.run}; figures in {pipeline.run / 'figures'}.", err=True)


def tune(
    task: str, out: Path | None, config: Path | None, as_json: bool, quiet: bool, settings: JsonObject, **how: Any
) -> None:
    send_notices(quiet)
    found = tasks.tune(task, out, file=config, **how, **settings)
    with outputs.standard_output():
        summaries.show_search(found, as_json)
    if not quiet:
        best = "; the best settings are in best.toml" if found["best"] else ""
        click.echo(f"Everything is in {found['search']}{best}.", err=True)


def evaluate(
    task: str, run: Path | None, split: str, out: Path | None, as_json: bool, quiet: bool, settings: JsonObject
) -> None:
    from tasks.engine import runs
    from tasks.engine.evaluate import write_report

    folder = runs.empty_directory(out or runs.new_directory(Path("evaluations") / task))
    send_notices(quiet)
    with runs.made_directory(folder):
        evaluation = tasks.evaluate(task, run, split, **settings)
        write_report(evaluation, folder)
    with outputs.standard_output():
        summaries.show_summary(evaluation.summary, as_json)
    if not quiet:
        click.echo(f"Metrics, answers and figures are in {folder}.", err=True)


def predict(
    task: str,
    inputs: tuple[str, ...],
    file: Path | None,
    keep: str | None,
    plain: bool,
    out: Path | None,
    workers: int | None,
    address: str | None,
    run: Path | None,
    quiet: bool,
    settings: JsonObject,
) -> None:
    from tasks.engine import items
    from tasks.engine import predict as answering
    from tasks.engine.outcome import Tally

    kept = [name.strip() for name in (keep or "").split(",") if name.strip()]
    check_request(inputs, file, kept, plain)
    if address and not workers:
        raise SettingError("`--address` names where --workers answer; give their number, such as --workers 2.")
    send_notices(quiet)
    pipeline = tasks.load(task, run, **settings)
    outputs.check_outputs(pipeline.config)
    form = items.typed_format(pipeline, settings)
    show = not quiet and sys.stderr.isatty()
    if workers:
        from tasks.engine import bulk
        from tasks.engine.bulk_inputs import Request

        request = Request(inputs, file, form, kept)
        bulk.predict(pipeline, request, bulk.Cluster(workers, address), out=out, plain=plain, show=show)
        return
    rows = items.file_items(pipeline, file, form, kept) if file else iter(())
    tally = Tally(pipeline.task)
    with outputs.opened_output(out) if out and not pipeline.task.write else outputs.standard_output() as target:
        for chunk in items.item_chunks(pipeline, inputs, rows, form.encoding, out):
            for outcome in answering.outcomes(pipeline, chunk, out, show):
                tally.add(outcome)
                click.echo(outcome.line(plain), file=target)
                if pipeline.task.write:
                    target.flush()
            target.flush()
    tally.check()


def export(
    task: str,
    format_: tuple[str, ...],
    out: Path,
    steps: int | None,
    benchmark: bool,
    run: Path | None,
    as_json: bool,
    quiet: bool,
    settings: JsonObject,
) -> None:
    from tasks.engine.exporting.benchmark import table

    send_notices(quiet)
    found = tasks.export(task, out, *format_, run=run, steps=steps, benchmark=benchmark, **settings)
    with outputs.standard_output():
        lines = [json.dumps(found, ensure_ascii=False, allow_nan=False)] if as_json else table(found)
        for line in lines:
            click.echo(terminal.visible_json(line))
    if not quiet:
        click.echo(f"{out / 'run.py' if len(format_) == 1 else out} answers; its README.md says how.", err=True)


def check_request(inputs: Sequence[str], file: Path | None, keep: Sequence[str], plain: bool) -> None:
    """Raise `SettingError` if options of `predict` do not fit each other."""
    if not inputs and not file:
        raise SettingError("There is nothing to answer; give inputs, `-` for standard input, or --file.")
    if keep and (plain or not file):
        raise SettingError("`--keep` adds columns of a --file to its answers in JSON; leave it out.")
    taken = next((name for name in keep if name in ("input", "answer", "error", "row")), None)
    if taken:
        raise SettingError(f"`--keep` cannot keep a column {taken!r}, since answers have an entry of that name.")


def send_notices(quiet: bool) -> None:
    """Send the notices of the tasks to standard error, each once, unless the user wants quiet."""
    logger = logging.getLogger("tasks")
    handler = logging.NullHandler() if quiet else logging.StreamHandler()
    handler.addFilter(terminal.Once())
    handler.setFormatter(terminal.Visible())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it advises programmers
    if quiet:
        warnings.simplefilter("ignore")


@click.command("tasks", help="List the tasks, their presets and their default data.")
def list_tasks() -> None:
    with outputs.standard_output():
        for name in tasks.names():
            data = tasks.config_class(name)().data
            click.echo(f"{name:<10} {tasks.summary(name)} Presets: {', '.join(tasks.presets(name))}. Data: {data}.")


@click.command("runs", help="List the runs that ship, and those kept here by the time of their end.")
@click.argument("which", required=False, metavar="[TASK|DIR]")
@click.option("--verify", is_flag=True, help="Look at all files of each run: states, check sums, finite weights.")
@click.option("--prune", is_flag=True, help="Remove unfinished and diverged runs below runs/; it asks first.")
@click.option("--older-than", metavar="AGE", help="With --prune: all runs unchanged for so long, such as 30d.")
@click.option("--yes", is_flag=True, help="With --prune: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_runs(which: str | None, verify: bool, prune: bool, older_than: str | None, yes: bool, as_json: bool) -> None:
    from tasks.engine import runs, upkeep
    from tasks.engine.members import RunError, is_run

    if (verify and prune) or ((older_than or yes) and not prune):
        raise SettingError("Give `--verify` or `--prune`; `--older-than` and `--yes` belong to `--prune`.")
    send_notices(quiet=False)
    alone = Path(which) if which and which not in tasks.names() and is_run(Path(which)) else None
    if which and not alone:
        tasks.check(which)
    names = [which] if which and not alone else tasks.names()
    if prune:
        if alone:
            raise SettingError(f"`--prune` takes a task; received {which!r}{nearest(str(which), tasks.names())}")
        prune_runs(list(upkeep.unwanted_runs(names, older_than)), yes)
        return
    found = [(name, run) for name in names for run in [*runs.pretrained_runs(name), *runs.kept_runs(name)]]
    if alone:
        found = [(upkeep.task_of(alone, tasks.names()), alone)]
    state = upkeep.verified_summary if verify else upkeep.run_summary
    with outputs.standard_output():
        damaged = [show_run(state(name, run), as_json) for name, run in found].count("damaged")
    if verify and damaged:
        raise RunError(f"{damaged} of {len(found)} runs are damaged; train again, or copy them anew.")


def show_run(row: JsonObject, as_json: bool) -> str:
    """Print what a list says of a run, and return its state."""
    line = json.dumps(row, ensure_ascii=False, allow_nan=False) if as_json else summaries.run_line(row)
    click.echo(terminal.visible_json(line))
    return str(row["state"])


def has_agreed(question: str) -> bool:
    """Ask the user on standard error; no answer at all is no."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        return False


def prune_runs(unwanted: Sequence[Any], yes: bool) -> None:
    """Remove runs once the user has said yes, and say which."""
    from tasks.engine import upkeep

    for one in unwanted:
        click.echo(terminal.visible(f"{one.run}  {one.reason}, {one.size / 1e6:,.1f} MB"))
    total = sum(one.size for one in unwanted) / 1e6
    if not unwanted or not (yes or has_agreed(f"Remove {len(unwanted)} runs, {total:,.1f} MB?")):
        click.echo("Nothing is removed.", err=True)
        return
    removed = sum(map(upkeep.remove, unwanted))
    click.echo(f"{removed} of {len(unwanted)} runs are removed.", err=True)


def compare(
    a: str,
    b: str,
    task: str | None,
    split: str,
    metric: str | None,
    margin: float,
    as_json: bool,
    quiet: bool,
    **values: Json,
) -> None:
    context = click.get_current_context()
    settings = {name: options.json_value(value) for name, value in values.items() if options.is_typed(context, name)}
    send_notices(quiet)
    one, other = (
        [side] if Path(side).exists() else [*filter(None, map(str.strip, side.split(",")))] for side in (a, b)
    )
    found = tasks.compare(one, other, task=task, split=split, metric=metric, margin=margin, **settings)
    with outputs.standard_output():
        if as_json:
            click.echo(terminal.visible_json(json.dumps(found, ensure_ascii=False, allow_nan=False)))
        else:
            summaries.show_comparison(found)
    if found["verdict"] == "worse":
        sys.exit(summaries.WORSE)


def check(
    data: str,
    task: str,
    set_: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **values: Json,
) -> None:
    from tasks.engine import files
    from tasks.engine.check_page import check_page

    context = click.get_current_context()
    settings = {name: options.json_value(value) for name, value in values.items() if options.is_typed(context, name)}
    if out:
        outputs.check_new(out)
    send_notices(quiet)
    more = options.typed_settings(set_)
    if twice := sorted(more.keys() & {*settings, "data", "name", "preset", "file"}):
        raise SettingError(f"`--set {twice[0]}` is not taken here; it has an option of its own, or is given twice.")
    found = tasks.check_data(task, data, **settings, **more)
    if out:
        files.write_text(out, check_page(found))
    with outputs.standard_output():
        summaries.show_check(found, as_json)
    if out and not quiet:
        click.echo(f"The page is {out}.", err=True)


@click.command("report", help="Write a page about runs: settings, curves, metrics, figures, best and worst answers.")
@click.argument("found", metavar="RUN...", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New file for the page.")
@click.option("--task", help="Task of the runs, if their names do not tell it.")
def report(found: tuple[str, ...], out: Path, task: str | None) -> None:
    from tasks.engine import files
    from tasks.engine.report import report as written
    from tasks.engine.run_names import task_name

    outputs.check_new(out)
    if task is not None:
        tasks.check(task)
    directories = list(map(Path, found))
    files.write_text(out, written(task or task_name(directories, tasks.names()), directories))
    click.echo(f"The page is {out}.", err=True)


@click.command("bundle", help="Write a run into one zip with check sums, which --run takes in place of a directory.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT.zip", type=click.Path(path_type=Path))
@click.option("--task", help="Task of the run, if its name does not tell it.")
def bundle(run: Path, out: Path, task: str | None) -> None:
    from tasks.engine.bundle import write_bundle
    from tasks.engine.run_names import task_name

    send_notices(quiet=False)
    if task is not None:
        tasks.check(task)
    found = write_bundle(task or task_name([run], tasks.names()), run, out)
    click.echo(f"The bundle is {out}: {len(found)} files, {out.stat().st_size / 1e6:,.1f} MB.", err=True)


def serve(
    names: tuple[str, ...],
    run_of: tuple[str, ...],
    host: str,
    port: int,
    token: str | None,
    cors: tuple[str, ...],
    watch: bool,
    queue: int,
    batch: int,
    window: float,
    timeout: float,
    max_size: float,
    megapixels: float,
    quiet: bool,
) -> None:
    from tasks.serving.needed import check_needed

    check_needed()
    from tasks.serving.server import Address, serve
    from tasks.serving.service import Limits

    send_notices(quiet)
    limits = Limits(queue, batch, window / 1000, timeout, int(1e6 * max_size), megapixels=megapixels)
    runs = options.named_runs(run_of)
    with outputs.standard_output():
        serve(names, runs, Address(host, port, token, cors), limits, watch=watch, logs=not quiet, say=click.echo)


class Commands(click.Group):
    """All verbs; where the reader of their output has gone, an error of ours ends them, before click ends with 1."""

    def make_context(self, *words: Any, **others: Any) -> click.Context:
        with terminal.known_reader():
            return super().make_context(*words, **others)

    def invoke(self, ctx: click.Context) -> Any:
        with terminal.known_reader():
            return super().invoke(ctx)


@click.group(
    cls=Commands,
    help="Train, evaluate and use the tasks of this project.",
    context_settings={"max_content_width": 120, "help_option_names": ["-h", "--help"]},
)
@click.version_option(tasks.__version__)
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
def commands(debug: bool) -> None:
    pass


commands.add_command(list_tasks)
commands.add_command(Verb(train, extra=options.TRAIN, name="train", help="Train a task, and score its test split."))
commands.add_command(
    Verb(tune, extra=options.TUNE, name="tune", help="Search good settings of a task, and score the best run.")
)
commands.add_command(Verb(evaluate, extra=options.EVALUATE, name="evaluate", help="Score a run on a split."))
commands.add_command(
    Verb(predict, extra=options.PREDICT, name="predict", help="Answer inputs; `-` reads lines from standard input.")
)
commands.add_command(Verb(export, extra=options.EXPORT, name="export", help="Write a run for other runtimes."))
commands.add_command(list_runs)
commands.add_command(
    click.Command(
        "compare",
        params=options.COMPARE,
        callback=compare,
        help="Tell whether run B differs from run A on the same examples; runs that differ in their seed by A1,A2,A3.",
    )
)
commands.add_command(report)
commands.add_command(bundle)
commands.add_command(
    click.Command("serve", params=options.SERVE, callback=serve, help="Answer over HTTP, with a page.")
)
commands.add_command(
    click.Command("check", params=options.CHECK, callback=check, help="Look through data before a training with it.")
)


def main() -> None:
    """Run a command, and end with the exit code that its outcome has."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path.insert(0, terminal.Hush())
    terminal.escape_output()
    ENDING.listen(terminal.stopped_sentence(sys.argv[1:]))
    try:
        commands.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        message = error.format_message()
        terminal.stop(message if message.endswith((".", "?", ")")) else f"{message}.", error.exit_code)
    except terminal.ReaderGoneError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python writes what is left when it ends
        sys.exit(error.exit_code)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        terminal.stop(terminal.sentence(error), terminal.exit_code(error))


def run() -> None:
    """Run a command as a process of its own."""
    with terminal.ended_at_once():
        main()


if __name__ == "__main__":
    run()
