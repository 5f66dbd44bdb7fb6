import type { Terminal } from "../host/terminal.ts";

/** Lines at the bottom of a terminal that are drawn again in place. */
export class LiveRegion {
  readonly #terminal: Pick<Terminal, "err">;
  #height = 0;

  constructor(terminal: Pick<Terminal, "err">) {
    this.#terminal = terminal;
  }

  /** Replaces the lines; each must fit the terminal's width. */
  draw(lines: readonly string[]): void {
    // The terminal's echo of ctrl-C has moved the cursor to the right.
    const up = this.#height > 0 ? `\r\x1b[${this.#height}A` : "";
    this.#terminal.err(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}\x1b[J`);
    this.#height = lines.length;
  }
}
