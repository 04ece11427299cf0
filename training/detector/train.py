"""Trains the hold detector from scratch within a given time: `python -m training.detector.train --hours 1.25`.

The learning rate follows the clock, so that a run of any length ends well trained, or with `--samples` their number, so
that runs compare on any machine. A run that was stopped goes on with the same command; one that is over is left alone.

On CPU there is one process with one thread for each core: processes that average their gradients keep going when
something else runs beside them, while the threads of one process wait at every barrier (measured: 2 to 5 times slower).
"""

import argparse
import math
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
import torch.multiprocessing
from torch import Tensor, distributed, nn

from training.detector.evaluate import compare
from training.detector.fused import compile_on_cpu
from training.detector.loss import Batch, HoldLoss
from training.detector.networks import ARCHITECTURES, SHIPPED, build
from training.detector.prepare import RENDERED_TESTS
from training.detector.samples import Sampler
from training.detector.scenes import Bank, load_bank
from training.detector.scoring import average_precision
from training.detector.shipped import from_onnx
from training.detector.walls import RENDERED, RUNS_DIR, Wall, read_rendered, read_walls

from ultralytics.optim import MuSGD  # isort: skip
from ultralytics.utils.torch_utils import ModelEMA, init_seeds  # isort: skip

WARMUP_STEPS = 100
GENTLE_SIDE_PX = 640
MEASURED_SIDE_PX = 832  # shows photos of 3:4 as large as the service does by default, in its own shape
WORTH_COMPILING_HOURS = 0.25
RARE_GYM = 12  # photos; a gym of which there are no more is drawn RARE_WEIGHT times as often
RARE_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train; kept in every checkpoint."""

    architecture: str
    hours: float
    budget: int | None  # samples; without it the hours count
    side_px: int
    batch: int
    learning_rate: float
    weight_decay: float
    seed: int
    processes: int
    device: str
    measure_minutes: float
    rendered: float
    hold_out: tuple[str, ...]
    gentle_from: float
    start_from: str | None

    def progress(self, seconds: float, samples: int) -> float:
        """Share of the budget that is used, 0..1."""
        return min(1.0, samples / self.budget if self.budget else seconds / (self.hours * 3600))


class Run:
    """One training run: network, optimizer and average, and how far they are."""

    def __init__(self, plan: Plan, folder: Path, rank: int = 0) -> None:
        init_seeds(plan.seed)
        self.plan, self.folder, self.rank = plan, folder, rank
        self.device = torch.device(plan.device)
        self.network = build(plan.architecture).to(self.device, memory_format=torch.channels_last).train()
        if plan.start_from:
            self.network.load_state_dict(weights_of(Path(plan.start_from), plan.architecture))
        self._halved = self.device.type == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001 - no other way to ask
        self.loss = HoldLoss(self.network)
        self.average = ModelEMA(self.network)
        self.optimizer = MuSGD(parameter_groups(self.network, plan), muon=0.2, sgd=1.0)
        self.seconds, self.steps, self.samples = 0.0, 0, 0
        self.start_clock()

    def start_clock(self) -> None:
        """Count the run's time from now on: reading photos is not training."""
        self._clock = time.monotonic()

    @property
    def progress(self) -> float:
        """Share of the plan's budget that is used, 0..1."""
        return self.plan.progress(self.seconds, self.samples)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from one batch; returns the parts of its loss."""
        factor = rate_factor(self.progress, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * factor * group["rate"]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._halved):
            outputs = self.network(batch.images)
        loss, parts = self.loss(as_float32(outputs), batch)
        (loss * len(batch.images) * self.plan.processes).backward()
        self._agree()
        nn.utils.clip_grad_norm_(self.network.parameters(), max_norm=10.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update(self.network)
        self.steps += 1
        self.samples += len(batch.images) * self.plan.processes
        return parts

    def _agree(self) -> None:
        """Average the gradients over the processes, and take the first one's clock."""
        now = time.monotonic()
        elapsed, self._clock = now - self._clock, now
        if self.plan.processes > 1:
            gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
            clock = torch.tensor([elapsed if self.rank == 0 else 0.0])
            flat = torch.cat([*(g.reshape(-1) for g in gradients), clock])
            distributed.all_reduce(flat)
            *averaged, clock = flat.split([*(g.numel() for g in gradients), 1])
            for gradient, mean in zip(gradients, averaged, strict=True):
                gradient.copy_(mean.view_as(gradient)).div_(self.plan.processes)
            elapsed = clock.item()
        self.seconds += elapsed

    def save(self) -> None:
        """Write `last.pt`: everything to go on from, and `ema` for evaluation and export."""
        state = {
            "plan": asdict(self.plan),
            "network": self.network.state_dict(),
            "ema": self.average.ema.state_dict(),
            "updates": self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "progress": (self.seconds, self.steps, self.samples),
        }
        partial = self.folder / "last.pt.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "last.pt")

    def resume(self) -> None:
        """Go on from `last.pt`, if there is one."""
        if not (self.folder / "last.pt").exists():
            return
        state = torch.load(self.folder / "last.pt", map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.ema.load_state_dict(state["ema"])
        self.average.updates = state["updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.seconds, self.steps, self.samples = state["progress"]


def weights_of(path: Path, architecture: str) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint, or those of an exported file."""
    if path.suffix == ".onnx":
        shipped: dict[str, Tensor] = from_onnx(path, architecture).state_dict()
        return shipped
    averaged: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["ema"]
    return averaged


def parameter_groups(network: nn.Module, plan: Plan) -> list[dict[str, Any]]:
    """Filters get orthogonalized updates and decay; biases and norms plain ones; the class head learns faster."""
    head = {id(p) for p in network.model[-1].cv3.parameters()}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            groups.setdefault((parameter.ndim >= 2, id(parameter) in head), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": plan.learning_rate,
            "rate": 3.0 if in_head else 1.0,
            "use_muon": is_filter,
            "weight_decay": plan.weight_decay if is_filter else 0.0,
            "momentum": 0.9,
            "nesterov": True,
        }
        for (is_filter, in_head), parameters in groups.items()
    ]


def rate_factor(progress: float, steps: int) -> float:
    """Share of the full learning rate: a warm-up by steps, then half a cosine down to 1 %."""
    cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2
    return cosine * min(1.0, (steps + 1) / WARMUP_STEPS)


def as_float32(outputs: dict[str, Any]) -> dict[str, Any]:
    """The network's outputs with every tensor in float32, those in lists and tuples, too."""
    return {
        name: value.float() if isinstance(value, Tensor) else type(value)(part.float() for part in value)
        for name, value in outputs.items()
    }


def draw_weights(walls: list[Wall], rendered: float) -> list[float]:
    """How often each wall is drawn: rare gyms more often, and all rendered walls together in a share of `rendered`."""
    gyms = [wall.gym for wall in walls]
    weights = [RARE_WEIGHT if gyms.count(gym) <= RARE_GYM else 1.0 for gym in gyms]
    real = sum(w for w, gym in zip(weights, gyms, strict=True) if gym != RENDERED)
    each = real * rendered / (1 - rendered) / max(1, gyms.count(RENDERED))
    return [each if gym == RENDERED else w for w, gym in zip(weights, gyms, strict=True)]


def load_training_bank(plan: Plan) -> Bank:
    """The walls that the plan trains on, on its device."""
    walls = [wall for wall in read_walls("train") if wall.gym not in plan.hold_out]
    walls += read_rendered(least=RENDERED_TESTS) if plan.rendered else []
    return load_bank(walls, draw_weights(walls, plan.rendered), torch.device(plan.device))


def train(run: Run, bank: Bank) -> None:
    """Train until the budget is used; logs to standard output, scores to `curve.csv`."""
    plan = run.plan
    sampler = Sampler(bank, plan.seed)
    run.start_clock()
    measured = run.seconds
    while run.progress < 1:
        gentle = run.progress >= plan.gentle_from
        side = GENTLE_SIDE_PX if gentle else plan.side_px
        count = max(1, round(plan.batch * (plan.side_px / side) ** 2))
        parts = run.step(sampler.batch(run.steps * plan.processes + run.rank, count, side, gentle=gentle))
        if run.rank != 0:
            continue
        if run.steps % 20 == 0:
            speed = run.samples / run.seconds
            losses = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
            print(f"{run.seconds / 60:6.1f} min  step {run.steps}  {speed:.1f} photos/s  {losses}", flush=True)
        if run.seconds - measured >= plan.measure_minutes * 60:
            measure(run)
            measured = run.seconds
    if run.rank == 0:
        measure(run)


def measure(run: Run) -> None:
    """Save, score the averaged network on dev, and append a row to the curve."""
    run.save()
    score = average_precision(compare(run.average.ema, read_walls("dev"), MEASURED_SIDE_PX))
    with (run.folder / "curve.csv").open("a") as curve:
        curve.write(f"{run.seconds / 60:.1f},{run.samples},{score:.4f}\n")
    print(f"{run.seconds / 60:6.1f} min  {run.samples} samples  dev box AP50: {score:.4f}", flush=True)


def start(rank: int, plan: Plan, folder: Path, bank: Bank, meeting: str) -> None:
    """Train as process `rank` of the plan's processes, which share the bank and meet at the file `meeting`."""
    compile_on_cpu(plan.hours > WORTH_COMPILING_HOURS)
    if plan.processes > 1:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=plan.processes)
    run = Run(plan, folder, rank)
    run.resume()
    train(run, bank)


def main() -> None:
    """Parse the command line, then train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="yolo11n-seg-holds")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=SHIPPED)
    parser.add_argument("--hours", type=float, default=1.25)
    parser.add_argument("--samples", type=int, dest="budget", help="train on so many, however long it takes")
    parser.add_argument("--side-px", type=int, default=448, help="side of a training sample, a multiple of 32")
    parser.add_argument("--batch", type=int, default=10, help="samples of one process in one step")
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--weight-decay", type=float, default=0.0005)
    parser.add_argument("--seed", type=int, default=0)
    cuda = torch.cuda.is_available()
    parser.add_argument("--processes", type=int, default=1 if cuda else torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if cuda else "cpu")
    parser.add_argument("--measure-minutes", type=float, default=8)
    parser.add_argument("--rendered", type=float, default=0.3, help="share of samples drawn from rendered walls")
    parser.add_argument("--hold-out", nargs="*", default=(), metavar="GYM", help="gyms that are not trained on")
    parser.add_argument(
        "--gentle-from", type=float, default=0.8, help="share of the run after which samples look like plain photos"
    )
    parser.add_argument(
        "--start-from", metavar="FILE", help="begin with the weights of another run (.pt) or of models/ (.onnx)"
    )
    args = vars(parser.parse_args())
    args["hold_out"] = tuple(args["hold_out"])
    folder = RUNS_DIR / args.pop("name")
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(**args)
    bank = load_training_bank(plan)
    with tempfile.TemporaryDirectory() as meeting_dir:
        others = (plan, folder, bank, f"{meeting_dir}/meeting")
        if plan.processes == 1:
            start(0, *others)
        else:
            torch.multiprocessing.spawn(start, others, nprocs=plan.processes)


if __name__ == "__main__":
    main()
