import { aborted } from "../../provider_errors.ts";
import { keyOf } from "./kinds.ts";
import type { KubeClient, Selection } from "./kube_client.ts";
import type { LiveObject, ObjectKind } from "./kube_object.ts";

interface Flight {
  readonly items: Promise<readonly LiveObject[]>;
  readonly stop: AbortController;
  callers: number;
}

/**
 * Lists of one cluster that simultaneous callers share: a caller whose list is already under way gets
 * its result. So a result may be slightly older than the call.
 */
export class SharedLists {
  readonly #client: KubeClient;
  readonly #flights = new Map<string, Flight>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** The list ends early when all its callers are aborted. */
  async list(
    kind: ObjectKind,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<readonly LiveObject[]> {
    const { namespace, labelSelector, fieldSelector } = selection;
    const key = JSON.stringify([keyOf(kind), namespace, labelSelector, fieldSelector]);
    const flight = this.#flights.get(key) ?? this.#begin(key, kind, selection);
    flight.callers++;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => {
      flight.callers--;
      if (flight.callers > 0) return reject(aborted(signal));
      // Nobody waits for it any more; its error says what the last caller has waited for.
      this.#end(key, flight);
      flight.stop.abort(signal.reason);
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([flight.items, left]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #begin(key: string, kind: ObjectKind, selection: Selection): Flight {
    const stop = new AbortController();
    const items = this.#client.list(kind, selection, { signal: stop.signal })
      .then(({ items }) => items)
      .finally(() => this.#end(key, flight));
    const flight = { items, stop, callers: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
