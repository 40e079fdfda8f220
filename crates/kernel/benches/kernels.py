"""Cells on several installed Jupyter kernels, side by side: what a learner waits for, and what it costs in memory.

    PYTHON -m pip install jupyter_client psutil
    PYTHON crates/kernel/benches/kernels.py KERNEL [KERNEL ...]

KERNEL is a name that `jupyter kernelspec list` shows, for example the one of `loopbot kernel install --name loopbot` and
evcxr_jupyter's own. For each cell: seconds from `execute_request` to idle, as the median of several cells that differ in a
number (`new`) and of the same cell again (`again`); the kernels take turns, so that a busy moment hits all of them. PSS counts
shared memory once, RSS once for each process; both are of the kernel and all its children after all cells.
"""
import math
import queue
import statistics
import sys
import time

import psutil
from jupyter_client.manager import KernelManager

ROUNDS = 7
# A cell that says nothing for so many seconds is interrupted, and counts as not run.
PATIENCE = 60
FIRST = """:dep tokio = { version = "1", features = ["full"] }
:dep futures = "0.3"
1"""
CELLS = {
    "simple": "let x = 1 + {n}; x",
    "function": "fn fib(n: u32) -> u64 {{ if n < 2 {{ n as u64 }} else {{ fib(n - 1) + fib(n - 2) }} }}\nfib(10) + {n}",
    "struct": "struct Movie {{ seats: u64 }}\nlet mut movie = Movie {{ seats: {n} }};\nmovie.seats -= 1; movie.seats",
    "variable": "let mut list = vec![{n}u64]; list.push(2); list.len()",
    "moves": "let s = String::from(\"{n}\"); let t = s; t.len()",
    "async": """let (tx, mut rx) = tokio::sync::mpsc::channel(8);
let sender = tokio::spawn(async move {{ for i in 0..20u64 {{ tx.send(i + {n}).await.unwrap(); }} }});
let receiver = tokio::spawn(async move {{ let mut sum = 0; while let Some(i) = rx.recv().await {{ sum += i; }} sum }});
let (a, b) = tokio::join!(sender, receiver);
a.unwrap(); let total: u64 = b.unwrap(); total""",
    "type error": "let y: i32 = \"a{n}\";",
    "200,000 lines": "for i in 0..200_000 {{ println!(\"line {{i}}\"); }} {n}",
}


class Kernel:
    def __init__(self, name):
        self.name = name
        self.manager = KernelManager(kernel_name=name)
        started = time.perf_counter()
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.kernel_info(reply=True, timeout=120)
        self.start = time.perf_counter() - started
        self.first = self.run(FIRST)

    def run(self, code):
        started = time.perf_counter()
        message_id = self.client.execute(code)
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=PATIENCE)
            except queue.Empty:
                self.manager.interrupt_kernel()
                return math.nan
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return time.perf_counter() - started

    def memory(self):
        process = psutil.Process(self.manager.provisioner.process.pid)
        family = [process, *process.children(recursive=True)]
        return [sum(getattr(one.memory_full_info(), kind) for one in family) / 1e6 for kind in ("pss", "rss")], len(family)


def main(names):
    if not names:
        sys.exit(__doc__)
    kernels = [Kernel(name) for name in names]
    width = max(12, *map(len, names)) + 2

    def row(title, figures, unit="s"):
        texts = [f"{figure:.3f} {unit}" if unit == "s" else f"{figure:.0f} {unit}" for figure in figures]
        ratios = "".join(f"{figure / figures[0]:9.1f} x" for figure in figures[1:])
        print(f"{title:24}" + "".join(f"{text:>{width}}" for text in texts) + ratios, flush=True)

    print(" " * 24 + "".join(f"{name:>{width}}" for name in names))
    row("start to kernel_info", [kernel.start for kernel in kernels])
    row("first cell, with tokio", [kernel.first for kernel in kernels])
    salt = int(time.time()) % 100_000 * 100
    for title, text in CELLS.items():
        rounds = 1 if "lines" in title else ROUNDS
        new = [[] for _ in kernels]
        for round in range(rounds):
            for kernel, times in zip(kernels, new):
                times.append(kernel.run(text.format(n=salt + round)))
        row(f"{title}, new", map_medians(new))
        again = [[kernel.run(text.format(n=salt)) for _ in range(rounds)] for kernel in kernels]
        row(f"{title}, again", map_medians(again))
    memory = [kernel.memory() for kernel in kernels]
    row("memory, PSS", [figures[0] for figures, _ in memory], "MB")
    row("memory, RSS", [figures[1] for figures, _ in memory], "MB")
    print("processes: " + ", ".join(f"{name} {count}" for name, (_, count) in zip(names, memory)))
    for kernel in kernels:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


def map_medians(series):
    """The median of the cells that ran; not a number if none did."""
    ran = [[seconds for seconds in times if not math.isnan(seconds)] for times in series]
    return [statistics.median(times) if times else math.nan for times in ran]


if __name__ == "__main__":
    main(sys.argv[1:])
