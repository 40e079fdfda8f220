"use strict";
// The page is whole without this: it only adds the switch of colours, buttons to copy code, the keyboard's way
// into wide boxes, and a mark in the contents at the section that is being read.
(() => {
  const root = document.documentElement;
  const store = {
    get() { try { return localStorage.getItem("loopbot-theme"); } catch { return null; } },
    set(theme) { try { localStorage.setItem("loopbot-theme", theme); } catch { /* a private window */ } },
  };
  const kept = store.get();
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;

  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;

  function addTheme(button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      store.set(root.dataset.theme);
    });
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Some browsers keep the clipboard from pages opened as files.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  function addCopy(pre, words) {
    const place = document.createElement("div");
    place.className = "with-copy";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = words.copy;
    button.addEventListener("click", async () => {
      await copy(pre.textContent);
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy; }, 1500);
    });
    pre.replaceWith(place);
    place.append(pre, button);
  }

  function addReading(links) {
    const byId = new Map([...links].map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const sections = [...byId.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const mark = () => {
      let current = sections[0];
      for (const section of sections) {
        if (section.getBoundingClientRect().top < innerHeight / 3) current = section;
      }
      for (const [id, link] of byId) {
        if (current && id === current.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; mark(); });
    }, { passive: true });
    mark();
  }

  // What scrolls sideways must be reachable with the keyboard, and nothing else should be in the way of it.
  function addScrolling() {
    for (const box of document.querySelectorAll("pre, .scroll, .rich")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("lb-theme");
    addTheme(button);
    for (const pre of document.querySelectorAll("pre.code")) addCopy(pre, button.dataset);
    addScrolling();
    addEventListener("resize", addScrolling);
    document.addEventListener("toggle", addScrolling, true);
    addReading(document.querySelectorAll(".contents a"));
  });
})();
