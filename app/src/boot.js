{
  const root = document.documentElement;

  // What this tab remembers. Browsers may refuse that.
  let notes;
  try { notes = sessionStorage; } catch {}

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
  const NEEDS_LATER = "[data-do], [data-keys], [action*='/delete'] [type=submit], [data-paint], [data-view], [data-star]";
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

  // What is written and chosen in a form is kept in this tab for its owner, until the form is seen again. A link that
  // fills it comes first, unless it is only loaded again.
  addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector(".desk"), name = "draft " + location.pathname, at = location.search, { owner } = root.dataset;
    const fields = () => [...form.elements].filter(({ name, type }) => name && type !== "file" && type !== "hidden");
    const ticks = ({ type }) => type === "radio" || type === "checkbox";
    if (!form) return;
    addEventListener("input", ({ target }) => target.form === form && notes?.setItem(name, JSON.stringify({
      owner, at, kept: fields().map(field => [field.name, field.value, field.checked]),
    })));
    // The islands send it otherwise, and keep what is written.
    addEventListener("submit", event => event.target === form && !event.defaultPrevented && notes?.removeItem(name));
    const draft = JSON.parse(notes?.getItem(name) ?? null), again = performance.getEntriesByType("navigation")[0]?.type !== "navigate";
    if (draft?.owner !== owner || /[?&](from|idea)=/.test(at) && !(again && draft.at === at)) return;
    for (const field of fields()) {
      const kept = draft.kept.find(([name, value]) => name === field.name && (value === field.value || !ticks(field)));
      if (kept) [, field.value, field.checked] = kept;
    }
  });

  // A page that is brought back as it was shows nothing that has been deleted since.
  addEventListener("pageshow", ({ persisted }) => {
    const deleted = persisted && notes?.getItem("deleted");
    for (const id of deleted ? deleted.trim().split(" ") : []) {
      if (location.pathname.endsWith(id)) location.reload();
      const shown = `leptos-island:has(> .watch > [data-id="${id}"]), li:has(> a[href^="/jobs/${id}"])`;
      for (const each of document.querySelectorAll(shown)) each.remove();
    }
  });

  // A menu closes when something else is pressed, and by Escape.
  for (const type of ["click", "keydown"]) addEventListener(type, ({ target, key }) => {
    for (const menu of document.querySelectorAll(".menu[open]")) {
      if (key === "Escape") menu.firstElementChild.focus();
      if (key ? key === "Escape" : !menu.contains(target)) menu.open = false;
    }
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

  addEventListener("input", ({ target: { name, value, checked, parentElement, nextElementSibling } }) => {
    // Only in its actual size a picture is needed in all its pixels.
    if (name === "actual") for (const img of parentElement.closest(".compare").querySelectorAll("img")) {
      img.removeAttribute("srcset");
      img.style.width = checked ? img.getAttribute("width") + "px" : "";
    }
    const pair = parentElement.closest(".compare");
    // As much is seen of the original as is not wanted of the repair.
    if (name === "strength" && pair) {
      pair.style.setProperty("--strength", value / 100);
      pair.toggleAttribute("data-mixed", value < 100);
      for (const tick of pair.querySelectorAll("[name=side], [name=difference]")) tick.checked = false;
      nextElementSibling.textContent = value + "\u00a0%";
    }
    if (name !== "before") return;
    pair.style.setProperty("--before", value + "%");
    nextElementSibling.lastElementChild.textContent = value + "\u00a0%";
  });
}
