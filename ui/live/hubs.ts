import type { Connection } from "@mpc/client";
import { EventHub } from "./event_hub.ts";

/** One hub for each viewer's credentials, so that each page learns only what its viewer may see. */
export class Hubs {
  readonly #hubs = new Map<string, EventHub>();

  /** The hub of a viewer; a new one if there is none. @param key stands for the credentials */
  of(key: string, connect: () => Connection): EventHub {
    const known = this.#hubs.get(key);
    if (known) return known;
    const hub = new EventHub(connect(), () => this.#hubs.delete(key));
    this.#hubs.set(key, hub);
    return hub;
  }

  /** Where in the log a page of this viewer is that is made now; "" if that is not known. */
  position(key: string): string {
    return this.#hubs.get(key)?.position ?? "";
  }

  /** The number of open pages. */
  get pages(): number {
    return [...this.#hubs.values()].reduce((sum, { size }) => sum + size, 0);
  }

  close(): void {
    for (const hub of this.#hubs.values()) hub.close();
    this.#hubs.clear();
  }
}
