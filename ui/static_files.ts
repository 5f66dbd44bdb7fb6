/** Files that pages refer to: each has its content's hash in its address, so browsers keep it. */
import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";
import { gzipSync } from "node:zlib";
import formatTime from "./format/time.ts" with { type: "text" };
import logs from "./islands/logs.ts" with { type: "text" };
import live from "./islands/live.ts" with { type: "text" };
import main from "./islands/main.ts" with { type: "text" };
import morph from "./islands/morph.ts" with { type: "text" };
import palette from "./islands/palette.ts" with { type: "text" };
import style from "./static/style.css" with { type: "text" };

/** Where the files are served. */
export const STATIC_PATH = "/ui/static/";

const CSS = "text/css; charset=utf-8";
const JS = "text/javascript; charset=utf-8";
const SVG = "image/svg+xml";

/** Scripts by the names under which they import each other; a script comes after what it imports. */
const SCRIPTS: readonly (readonly [specifier: string, name: string, source: string])[] = [
  ["../format/time.ts", "time.js", formatTime],
  ["./morph.ts", "morph.js", morph],
  ["./live.ts", "live.js", live],
  ["./logs.ts", "logs.js", logs],
  ["./palette.ts", "palette.js", palette],
  ["./main.ts", "main.js", main],
];

/** The icons of a page's tab: a shape and a colour for each state. */
const ICONS: Readonly<Record<string, string>> = {
  ok: '<circle cx="8" cy="8" r="7" fill="#15803d"/><path d="m4.8 8.3 2.2 2.2 4.2-4.7"/>',
  busy: '<circle cx="8" cy="8" r="7" fill="#1d4ed8"/><path d="M8 4.5v3.8l2.6 1.6"/>',
  failed:
    '<rect x="1" y="1" width="14" height="14" rx="3" fill="#b91c1c"/><path d="m5 5 6 6m0-6-6 6"/>',
};

interface StaticFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
}

/** The files, and where each is. */
export class Assets {
  readonly #files = new Map<string, StaticFile>();
  readonly #urls = new Map<string, string>();

  constructor() {
    this.#add("style.css", CSS, withoutComments(style));
    for (const [mood, shape] of Object.entries(ICONS)) {
      this.#add(`icon_${mood}.svg`, SVG, icon(shape));
    }
    const imported = new Map<string, string>();
    for (const [specifier, name, source] of SCRIPTS) {
      imported.set(specifier, this.#add(name, JS, script(source, imported)));
    }
  }

  /** Where a file is. */
  url(name: string): string {
    const url = this.#urls.get(name);
    if (url === undefined) throw new Error(`there is no static file '${name}'`);
    return url;
  }

  /** Answers with a file; undefined if there is none at the path. */
  answer(path: string, acceptEncoding: string): Response | undefined {
    const file = this.#files.get(path);
    if (!file) return undefined;
    const zipped = /\bgzip\b/.test(acceptEncoding);
    return new Response(zipped ? file.gzipped : file.bytes, {
      headers: {
        "content-type": file.type,
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        vary: "accept-encoding",
        ...(zipped && { "content-encoding": "gzip" }),
      },
    });
  }

  /** The sizes of all files, as they are sent. */
  get sizes(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#urls].map(([name, url]) => [name, this.#files.get(url)!.gzipped.length]),
    );
  }

  #add(name: string, type: string, text: string): string {
    const bytes = new TextEncoder().encode(text);
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
    const url = `${STATIC_PATH}${name.replace(".", `.${hash}.`)}`;
    this.#files.set(url, { type, bytes, gzipped: new Uint8Array(gzipSync(bytes, { level: 9 })) });
    this.#urls.set(name, url);
    return url;
  }
}

const icon = (shape: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${
    shape.replace('fill="#', 'stroke="none" fill="#')
  }</svg>`;

/** A script as browsers run it: without types and comments, with the addresses of its imports. */
function script(source: string, imported: ReadonlyMap<string, string>): string {
  return withoutComments(stripTypeScriptTypes(source))
    .replace(/^(import .* from )"(.+)";$/gm, (_, names, specifier) => {
      const url = imported.get(specifier);
      if (url === undefined) throw new Error(`'${specifier}' is no script of the pages`);
      return `${names}"${url}";`;
    });
}

/** Removes comments that have lines of their own, empty lines, and the space around lines. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\/$/gm, "").split("\n")
    .map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("//")).join("\n");
}
