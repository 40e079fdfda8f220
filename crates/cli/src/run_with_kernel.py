"""Runs one notebook on an installed Jupyter kernel and tells how it went in one line of JSON on standard output.

Arguments: the notebook, the kernel (its name, or the folder of its kernel.json), and where to write the executed
notebook (optional). Cells tagged `needs-loopbot` are left out, unless the kernel is LoopBot's. It judges no exercise; that is `loopbot check`.
"""

import asyncio
import json
import os
import sys

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError


def main():
    path, kernel = sys.argv[1:3]
    target = sys.argv[3] if len(sys.argv) > 3 else None
    specs = KernelSpecManager()
    if os.path.isdir(kernel):
        folder, kernel = os.path.split(os.path.abspath(kernel))
        specs.kernel_dirs = [folder]
    try:
        spec = specs.get_kernel_spec(kernel)
    except NoSuchKernel:
        return {"no_such_kernel": kernel, "kernels": sorted(specs.find_kernel_specs())}

    notebook = nbformat.read(path, as_version=4)
    left_out = [] if "loopbot" in spec.metadata else leave_out(notebook)
    current = {"index": None, "ran": 0}

    def begin(cell, cell_index):
        current["index"] = cell_index

    def end(cell, cell_index, execute_reply):
        current["ran"] += 1

    manager = AsyncKernelManager(kernel_name=kernel, kernel_spec_manager=specs)
    client = NotebookClient(
        notebook,
        timeout=600,
        km=manager,
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(path))}},
        on_cell_execute=begin,
        on_cell_executed=end,
    )
    faults = []
    try:
        client.execute()
    except CellExecutionError as error:
        report = reported(notebook, current["index"])
        faults.append(fault(current["index"], f"{error.ename}: {error.evalue}", report))
    except TimeoutError:
        faults.append(fault(current["index"], "it took longer than 600 s and was stopped", ""))
    except DeadKernelError:
        faults.append(fault(current["index"], "the kernel died", ""))
    except RuntimeError as error:
        # What nbclient raises when the kernel's program does not start.
        faults.append(fault(current["index"], f"the kernel did not answer: {error}", ""))
    except OSError as error:
        faults.append(fault(current["index"], f"the kernel cannot be started: {error}", ""))
    finally:
        # nbclient leaves a manager that it was given alone; a kernel that lives on would keep this program's pipes open.
        if manager.has_kernel:
            asyncio.run(manager.shutdown_kernel(now=True))
    faults.extend(not_failed_as_meant(notebook, current["index"]))
    restore(notebook, left_out)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    if target:
        write(notebook, target)
    return {"ran": current["ran"], "left_out": len(left_out), "faults": faults}


def leave_out(notebook):
    """Tags the cells that only LoopBot can run for nbclient to skip; returns them."""
    found = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and "needs-loopbot" in tags and "skip-execution" not in tags:
            cell.metadata["tags"] = [*tags, "skip-execution"]
            found.append(cell)
    return found


def restore(notebook, left_out):
    for cell in left_out:
        cell.metadata["tags"].remove("skip-execution")


def joined(outputs):
    """Printed text comes in as many messages as the moment had it. As LoopBot's own runner does, a stream is one output
    up to the next picture, so that two runs of a lesson give the same file."""
    result = []
    for output in outputs:
        earlier = None
        if output.output_type == "stream":
            for known in reversed(result):
                if known.output_type != "stream":
                    break
                if known.name == output.name:
                    earlier = known
                    break
        if earlier is None:
            result.append(output)
        else:
            earlier.text += output.text
    return result


def reported(notebook, index):
    """What the kernel itself said of the failure, without the code and the output that nbclient puts around it."""
    outputs = notebook.cells[index].outputs
    return "\n".join(line for output in outputs if output.output_type == "error" for line in output.traceback)


def not_failed_as_meant(notebook, last):
    """Cells up to the last one run that are meant to fail and did not, or failed otherwise."""
    for index, cell in enumerate(notebook.cells[: (last or -1) + 1]):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or "raises-exception" not in tags or "skip-execution" in tags:
            continue
        errors = [output for output in cell.outputs if output.output_type == "error"]
        codes = cell.metadata.get("loopbot", {}).get("error_code", [])
        for code in [codes] if isinstance(codes, str) else codes:
            if not any(code in json.dumps(error) for error in errors):
                yield fault(index, f"it is meant to fail with {code}, but did not", "")
        if not codes and not errors:
            yield fault(index, "it is meant to fail, but ran to its end", "")


def fault(index, message, report):
    return {"cell": None if index is None else index + 1, "message": message, "report": report.splitlines()}


def write(notebook, target):
    """Beside its place and renamed, so that no half notebook is ever there."""
    beside = f"{target}.{os.getpid()}.part"
    try:
        nbformat.write(notebook, beside)
        os.replace(beside, target)
    finally:
        if os.path.exists(beside):
            os.remove(beside)


if __name__ == "__main__":
    print(json.dumps(main()))
