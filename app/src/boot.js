{
  const root = document.documentElement;

  // A page is shown first: what brings it alive would compete with its style sheet. Hidden, it has no frames.
  const shown = new Promise(go => { requestAnimationFrame(go); setTimeout(go, 1000); });
  const app = shown.then(async () => {
    const [m, wasm] = await Promise.all([import("{js}"), fetch("{wasm}")]);
    await m.default({ module_or_path: wasm });
    if (document.readyState === "loading") await new Promise(go => addEventListener("DOMContentLoaded", go));
    if (root.alive === false) return;
    m.hydrate();
    root.alive = true;
    return m;
  }).catch(e => {
    console.info("The page stays as it is:", e);
    root.plain();
  });

  // What is needed only after a click is a module of its own. A click that comes before it waits for it; should it
  // not come, the click does what it does without scripts.
  const NEEDS_LATER = "[data-do], [data-keys], [data-regret] [type=submit], [data-paint], [data-star]";
  let later, settled;
  const fetchLater = () => later ??= (async () => {
    const [m, wasm] = await Promise.all([import("{later_js}"), fetch("{later_wasm}", { priority: settled === false ? "high" : "low" })]);
    await m.default({ module_or_path: wasm });
    m.wake();
  })().catch(e => {
    console.info("Some buttons do nothing:", e);
    root.classList.add("partly");
  }).finally(() => settled = true);
  app.then(m => m && (window.requestIdleCallback ?? setTimeout)(fetchLater));

  const wait = async (event, again) => {
    if (settled || root.alive === false) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    settled = false;
    await fetchLater();
    again();
  };
  addEventListener("click", event => {
    const pressed = event.target.closest(NEEDS_LATER);
    if (pressed && !(event.ctrlKey || event.metaKey || event.shiftKey)) wait(event, () => pressed.click());
  }, true);
  addEventListener("keydown", event => {
    const { target, key } = event;
    if ("?/".includes(key) && !target.closest("input, textarea")) wait(event, () => target.dispatchEvent(new KeyboardEvent("keydown", event)));
  }, true);

  customElements.define("leptos-island", class extends HTMLElement {
    async connectedCallback() {
      const m = await app;
      if (!m || this.awake || !this.isConnected) return;
      this.awake = true;
      m[this.dataset.component](this);
    }
  });

  // A transition between pages that comes too late is skipped. Chromium reports that as an error of ours.
  addEventListener("unhandledrejection", event => {
    if (/^(Abort|InvalidState)Error: Transition was/.test(event.reason)) event.preventDefault();
  });

  // A key that is held down presses once.
  addEventListener("keydown", event => {
    const writes = event.target.localName === "textarea" && !event.ctrlKey && !event.metaKey;
    if (event.repeat && event.key === "Enter" && !writes) event.preventDefault();
  }, true);

  // A file that is dropped beside its field would take the page's place.
  for (const type of ["dragover", "drop"]) addEventListener(type, event => {
    if (event.dataTransfer.types.includes("Files") && event.target.type !== "file") event.preventDefault();
  });

  addEventListener("input", ({ target: { name, value, parentElement, nextElementSibling } }) => {
    if (name !== "before") return;
    parentElement.closest(".compare").style.setProperty("--before", value + "%");
    nextElementSibling.textContent = `${nextElementSibling.dataset.word} ${value}\u00a0%`;
  });
}
