/// <reference lib="dom" />
/** Keys, and the palette over pages, environments, workloads and operations. */

interface Entry {
  readonly title: string;
  readonly hint: string;
  readonly href: string;
}

const HELP: readonly (readonly [key: string, does: string])[] = [
  ["/", "search on this page"],
  ["⌘K, ctrl-K", "go to anything"],
  ["?", "this help"],
];

/** How many places are listed at once. */
const MAX_PLACES = 12;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

export function startPalette(): void {
  const pages = [...document.querySelectorAll<HTMLAnchorElement>("a[data-key]")];
  const open = document.querySelector<HTMLButtonElement>("[data-palette]");
  if (open) open.onclick = () => void showPalette(pages);
  let prefix = "";
  addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      void showPalette(pages);
      return;
    }
    if (isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const keys = `${prefix}${event.key}`;
    prefix = event.key === "g" ? "g " : "";
    const page = pages.find(({ dataset }) => dataset["key"] === keys);
    if (page) return location.assign(page.href);
    if (event.key === "/") {
      const search = document.querySelector<HTMLInputElement>("input[type=search]");
      event.preventDefault();
      if (search) search.select();
      else void showPalette(pages);
    }
    if (event.key === "?") showHelp(pages);
  });
}

/** A dialog that is removed when it closes; the element that had the focus gets it back. */
function dialogOf(label: string): HTMLDialogElement {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", label);
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  return dialog;
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function showHelp(pages: readonly HTMLAnchorElement[]): void {
  const dialog = dialogOf("Keys");
  const rows = [
    ...HELP,
    ...pages.map((page) => [page.dataset["key"]!, page.textContent!] as const),
  ].flatMap(([key, does]) => [
    element("dt", {}, element("kbd", { textContent: key })),
    element("dd", { textContent: does }),
  ]);
  dialog.append(
    element("h2", { textContent: "Keys" }),
    element("dl", { className: "keys" }, ...rows),
  );
  dialog.showModal();
}

async function showPalette(pages: readonly HTMLAnchorElement[]): Promise<void> {
  if (document.querySelector("dialog[open]")) return;
  const dialog = dialogOf("Go to");
  dialog.className = "palette";
  const input = element("input", { type: "text", placeholder: "Go to…", autocomplete: "off" });
  const list = element("div", { id: "palette-list" });
  for (
    const [name, value] of [
      ["role", "combobox"],
      ["aria-controls", list.id],
      ["aria-expanded", "true"],
      ["aria-label", "Go to"],
    ] as const
  ) input.setAttribute(name, value);
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Places");
  const own: readonly Entry[] = pages.map((page) => ({
    title: page.textContent!,
    hint: "page",
    href: page.href,
  }));
  let places = own;
  let chosen = 0;
  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/);
    const found = places.filter(({ title, hint }) =>
      words.every((word) => `${title} ${hint}`.toLowerCase().includes(word))
    ).slice(0, MAX_PLACES);
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    list.replaceChildren(...found.map(({ title, hint, href }, index) => {
      const option = element("a", { href, id: `place-${index}`, tabIndex: -1 });
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(index === chosen));
      option.append(
        element("bdi", { textContent: title }),
        element("small", { textContent: hint }),
      );
      return option;
    }));
    if (found.length === 0) list.append(element("p", { textContent: "Nothing found" }));
    input.setAttribute("aria-activedescendant", found.length ? `place-${chosen}` : "");
  };
  /** Asks the server for what the last word may be a part of. */
  const ask = async () => {
    const text = input.value;
    const word = text.trim().split(/\s+/).at(-1)!;
    const response = await fetch(`/ui/places?q=${encodeURIComponent(word)}`);
    if (!response.ok || input.value !== text) return;
    places = [...own, ...await response.json() as readonly Entry[]];
    show();
  };
  input.oninput = () => {
    chosen = 0;
    show();
    void ask();
  };
  input.onkeydown = (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      chosen += step;
      show();
    }
    if (event.key === "Enter") document.getElementById(`place-${chosen}`)?.click();
  };
  dialog.append(input, list);
  dialog.showModal();
  show();
  await ask();
}
