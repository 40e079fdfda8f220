"""Opens pages in headless Chromium and fails on a request to anywhere else, a console error or an invisible picture.

    browser.py pages FOLDER      every .html file of the folder, from file://
    browser.py lab LOOPBOT       JupyterLab as `LOOPBOT lab` starts it

Speaks the DevTools protocol over websocket-client, which comes with Jupyter. It drives no other browser.
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

import websocket

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-extensions --disable-dev-shm-usage --remote-debugging-port=0
--window-size=1200,900""".split()
# Chromium asks for updates and accounts of its own accord; here it finds nobody.
FLAGS.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")

# Seconds; a page that needs longer is broken or the machine is.
PATIENCE = 60


class Browser:
    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not program:
            sys.exit("no Chromium found; install the package chromium")
        self.profile = tempfile.mkdtemp()
        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self.profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port_file = os.path.join(self.profile, "DevToolsActivePort")
        wait_for(lambda: os.path.exists(port_file) and os.path.getsize(port_file), "Chromium did not start")
        port, path = open(port_file).read().split()
        # Chromium refuses connections that carry the origin of a web page.
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", suppress_origin=True, timeout=PATIENCE
        )
        self.last_id = 0

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, url):
        return Page(self, url)


class Page:
    """One tab. Events that come in are noted while answers are awaited."""

    def __init__(self, browser, url):
        self.browser = browser
        self.session = None
        self.requests, self.errors, self.loaded = [], [], False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Network", "Runtime", "Log"]:
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        wait_for(lambda: self.evaluate("document.readyState") == "complete", f"{url} did not load")
        self.target = target

    def call(self, method, **parameters):
        self.browser.last_id += 1
        message = {"id": self.browser.last_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.browser.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.browser.socket.recv())
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.note(answer)

    def note(self, event):
        if event.get("sessionId") != self.session:
            return
        parameters = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(parameters["url"])
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "assert"):
                self.errors.append(" ".join(str(part.get("value", part)) for part in parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                entry = parameters["entry"]
                self.errors.append(f"{entry['text']} {entry.get('url', '')}")

    def evaluate(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def close(self):
        self.session, session = None, self.session
        self.call("Target.closeTarget", targetId=self.target)
        self.session = session


def wait_for(condition, otherwise):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    sys.exit(otherwise)


# Hidden text is opened first: a picture in a folded hint is no fault. Pictures inside pictures and icons of buttons
# are not looked at.
PICTURES = """(async () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    await new Promise(requestAnimationFrame);
    const faults = [];
    let seen = 0;
    for (const picture of document.querySelectorAll("main svg, main img")) {
        if (picture.parentElement.closest("svg, button, math")) continue;
        seen += 1;
        const box = picture.getBoundingClientRect();
        const name = picture.alt || picture.getAttribute("aria-label") || picture.id || picture.outerHTML.slice(0, 80);
        const broken = picture.tagName === "IMG" && !(picture.complete && picture.naturalWidth > 0);
        const empty = picture.tagName === "svg" && !picture.querySelector("path, rect, line, circle, text, polyline, polygon, use");
        if (broken || empty || box.width < 1 || box.height < 1 || getComputedStyle(picture).visibility !== "visible")
            faults.push(name);
    }
    const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth + 1;
    return {seen, faults, wide, empty: document.body.innerText.trim() === ""};
})()"""


def check_pages(folder):
    files = sorted(glob.glob(os.path.join(folder, "**", "*.html"), recursive=True))
    if not files:
        sys.exit(f"{folder} holds no pages")
    browser, count = Browser(), 0
    try:
        for file in files:
            url = "file://" + os.path.abspath(file)
            page = browser.open(url)
            pictures = page.evaluate(PICTURES)
            others = [seen for seen in page.requests if seen != url and not seen.startswith("data:")]
            faults = [f"asks for {other}" for other in others]
            faults += [f"console error: {error}" for error in page.errors]
            faults += [f"invisible picture: {picture}" for picture in pictures["faults"]]
            if pictures["wide"]:
                faults.append("wider than the window")
            if pictures["empty"]:
                faults.append("shows no text")
            page.close()
            for fault in faults:
                print(f"✘ {os.path.relpath(file, folder)}: {fault}")
            if not faults:
                print(f"✔ {os.path.relpath(file, folder)}: {pictures['seen']} pictures")
            count += len(faults)
    finally:
        browser.close()
    return count


def check_lab(loopbot):
    lab = subprocess.Popen(
        [loopbot, "lab", "--no-browser"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    browser = Browser()
    count = 0
    try:
        address = None
        for line in lab.stderr:
            print(line, end="")
            address = re.search(r"http://127\.0\.0\.1:\S+", line)
            if address:
                break
        if not address:
            sys.exit("JupyterLab did not start")
        page = browser.open(address[0])
        wait_for(lambda: page.evaluate("!!document.querySelector('#jp-main-dock-panel')"), "JupyterLab did not open")
        # News and update checks come after the page stands.
        for _ in range(50):
            time.sleep(0.1)
            page.evaluate("1")
        kernels = page.evaluate(
            "fetch(document.baseURI.split('/lab')[0] + '/api/kernelspecs' + location.search).then(r => r.json())"
        )
        own = urlsplit(address[0]).netloc
        faults = [f"asks for {seen}" for seen in page.requests if urlsplit(seen).netloc not in ("", own)]
        name = kernels["kernelspecs"]["rust"]["spec"]["display_name"]
        if name != "Rust (LoopBot)":
            faults.append(f"the kernel `rust` is {name}, not LoopBot's")
        popups = page.evaluate("[...document.querySelectorAll('.jp-Dialog, .Toastify__toast')].map(e => e.innerText)")
        faults += [f"pop-up: {text}" for text in popups]
        for fault in faults:
            print(f"✘ JupyterLab: {fault}")
        if not faults:
            print(f"✔ JupyterLab: {len(page.requests)} requests, all to itself")
        count = len(faults)
    finally:
        browser.close()
        lab.send_signal(signal.SIGTERM)
        lab.wait()
    return count


if __name__ == "__main__":
    what, where = sys.argv[1:]
    sys.exit(1 if {"pages": check_pages, "lab": check_lab}[what](where) else 0)
