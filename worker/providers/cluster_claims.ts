import { getLogger } from "@logtape/logtape";
import {
  type ClusterClaim,
  clusterName,
  type Instant,
  isMpcError,
  MpcError,
  type NewEvent,
  recordError,
} from "@mpc/domain";
import {
  claimedElsewhere,
  type Claims,
  type Clock,
  type Ids,
  type ProviderCall,
  sleepUnlessAborted,
  systemPrincipal,
} from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";
import type { ClusterMark, Mark } from "./cluster_mark.ts";
import { aborted, throwIfAborted } from "./provider_errors.ts";

const log = getLogger(["mpc", "claims"]);

/** How often the token on a cluster is replaced. */
export const RENEW_MS = 60_000;

/** A cluster is changed only if its claim was checked at most this long ago. */
export const VALID_MS = 90_000;

/** How often work that takes long asks whether its claim is still held. */
const RECHECK_MS = 15_000;

/** How often a claim is tried again at once because another process came first. */
const MAX_ROUNDS = 50;

const NEVER = new AbortController().signal;

export interface ClusterClaimsOptions {
  readonly store: Pick<Store, "claims">;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The marks of the clusters, by the names of the clusters. */
  readonly marks: ReadonlyMap<string, ClusterMark>;
}

/**
 * Claims clusters by a token that both the store and the cluster have. To replace the token, a
 * process writes the next one into the store, then onto the cluster, then settles the store, each
 * time only if nobody else came first. Whoever finds a replacement that was cut off finishes it with
 * the same token; so the store knows every token that its processes can have written. A token that it
 * does not know was written by another store.
 */
export class ClusterClaims implements Claims {
  readonly #options: ClusterClaimsOptions;
  /** When each claim was last found to be held, by the monotonic clock. */
  readonly #held = new Map<string, number>();
  /** Clusters whose token this process has replaced. */
  readonly #begun = new Set<string>();
  readonly #checks = new Map<string, Promise<void>>();

  constructor(options: ClusterClaimsOptions) {
    this.#options = options;
  }

  /** @throws {MpcError} FAILED_PRECONDITION `CLUSTER_CLAIMED_ELSEWHERE` */
  async assertHeld(cluster: string, { signal }: ProviderCall): Promise<void> {
    throwIfAborted(signal);
    const held = this.#held.get(cluster);
    if (held !== undefined && this.#options.clock.monotonic() - held < VALID_MS) return;
    await this.#check(cluster, { signal });
  }

  /**
   * Does work that may take long, and stops it when the claim is lost meanwhile. While the claim
   * cannot be checked, the work goes on: it waits for the cluster itself.
   * @throws {MpcError} FAILED_PRECONDITION `CLUSTER_CLAIMED_ELSEWHERE`
   */
  async whileHeld<T>(
    cluster: string,
    { signal }: ProviderCall,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    await this.assertHeld(cluster, { signal });
    const lost = new AbortController();
    const done = new AbortController();
    const watching = this.#untilLost(cluster, AbortSignal.any([signal, done.signal]))
      .then((error) => error !== undefined && lost.abort(error));
    try {
      return await work(AbortSignal.any([signal, lost.signal]));
    } catch (error) {
      throw lost.signal.aborted && !signal.aborted ? lost.signal.reason : error;
    } finally {
      done.abort("the work is over");
      await watching;
    }
  }

  async renew(call: ProviderCall): Promise<void> {
    await Promise.all([...this.#options.marks.keys()].map(async (cluster) => {
      try {
        await this.#check(cluster, call);
      } catch (error) {
        if (call.signal.aborted || !isMpcError(error)) throw error;
        log.warn("Cannot renew the claim to cluster {cluster}: {error}", {
          cluster,
          error: recordError(error),
        });
      }
    }));
  }

  async takeOver(cluster: string, call: ProviderCall): Promise<void> {
    const mark = this.#markOf(cluster);
    for (let round = 1;; round++) {
      const stored = await this.#claimOf(cluster);
      const seen = tokenIn((await mark.read(call)).text);
      try {
        // Takes the other store's token for its own, and replaces it at once.
        if (isForeign(stored.value, seen)) await this.#write(stored, { token: seen, next: null });
        return await this.#hold(cluster, call, { mustReplace: true });
      } catch (error) {
        if (!isOutrun(error) || round >= MAX_ROUNDS) throw error;
      }
    }
  }

  /** The error that says that a claim is lost; undefined if the signal is aborted before. */
  async #untilLost(cluster: string, signal: AbortSignal): Promise<unknown> {
    while (await sleepUnlessAborted(this.#options.clock, RECHECK_MS, signal)) {
      try {
        await this.assertHeld(cluster, { signal });
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!isMpcError(error) || error.reason === "CLUSTER_CLAIMED_ELSEWHERE") return error;
      }
    }
    return undefined;
  }

  /**
   * Checks a claim and renews it if it is due. Calls at the same time share one check, which goes on
   * when one of them is aborted.
   */
  async #check(cluster: string, { signal }: ProviderCall): Promise<void> {
    const check = this.#checks.get(cluster) ??
      this.#hold(cluster, { signal: NEVER }).finally(() => this.#checks.delete(cluster));
    this.#checks.set(cluster, check);
    await unlessAborted(check, signal);
  }

  async #hold(
    cluster: string,
    call: ProviderCall,
    { mustReplace = false }: { readonly mustReplace?: boolean } = {},
  ): Promise<void> {
    const { clock } = this.#options;
    const began = clock.monotonic();
    // A process begins with a new token, so that a backup of before is older at once.
    const replaces = mustReplace || !this.#begun.has(cluster);
    for (let round = 1;; round++) {
      try {
        await this.#holdOnce(cluster, call, replaces);
        this.#begun.add(cluster);
        this.#held.set(cluster, began);
        return;
      } catch (error) {
        if (!isMpcError(error, "ABORTED", "ALREADY_EXISTS") || round >= MAX_ROUNDS) {
          this.#held.delete(cluster);
          throw error;
        }
      }
    }
  }

  /** @throws {MpcError} ABORTED if another process came first */
  async #holdOnce(cluster: string, call: ProviderCall, mustReplace: boolean): Promise<void> {
    const { clock, ids } = this.#options;
    const mark = this.#markOf(cluster);
    const stored = await this.#claimOf(cluster);
    const read = await mark.read(call);
    const { next, lost } = stored.value;
    const seen = tokenIn(read.text);
    if (isForeign(stored.value, seen)) return await this.#lose(cluster, stored, read);
    if (seen !== "" && seen === next) return await this.#settle(cluster, stored, next);
    const isFresh = next === null && lost === null && seen !== "" && !mustReplace;
    if (isFresh && this.#isRecent(stored.value.renewTime)) return;
    const claimed = next === null ? await this.#write(stored, { next: ids.uuid() }) : stored;
    const wanted = claimed.value.next ?? "";
    const text = `${wanted} ${new Date(clock.now()).toISOString()}`;
    if (!await mark.replace(read, text, call)) throw outrun(cluster);
    await this.#settle(cluster, claimed, wanted);
  }

  /** A time in the future was written by a clock that was ahead. */
  #isRecent(renewTime: Instant): boolean {
    const ageMs = this.#options.clock.now() - renewTime;
    return ageMs >= 0 && ageMs < RENEW_MS;
  }

  async #settle(cluster: string, stored: Stored<ClusterClaim>, token: string): Promise<void> {
    const { lost } = stored.value;
    const message = `Cluster '${cluster}' is claimed by this database again`;
    const events = lost ? [this.#event(cluster, "ClusterClaimed", message)] : [];
    const renewTime = this.#options.clock.now();
    await this.#write(stored, { token, next: null, renewTime, lost: null }, events);
  }

  /**
   * Records that the cluster has a token that the store did not know when it was read.
   * @throws {MpcError} FAILED_PRECONDITION `CLUSTER_CLAIMED_ELSEWHERE`; ABORTED if the store has
   *   changed since, because then another process may have written that token
   */
  async #lose(cluster: string, stored: Stored<ClusterClaim>, read: Mark): Promise<never> {
    if ((await this.#claimOf(cluster)).version !== stored.version) throw outrun(cluster);
    const renewTime = read.text.split(" ")[1] ?? "";
    const since = stored.value.lost?.since ?? this.#options.clock.now();
    const error = claimedElsewhere(`change cluster '${cluster}'`, cluster, renewTime);
    if (stored.value.lost?.renewTime !== renewTime) {
      const events = stored.value.lost
        ? []
        : [this.#event(cluster, "ClusterClaimLost", error.message)];
      await this.#write(stored, { lost: { since, renewTime } }, events);
    }
    throw error;
  }

  #event(cluster: string, reason: NewEvent["reason"], message: string): NewEvent {
    return {
      time: this.#options.clock.now(),
      type: "NOTICED",
      reason,
      message,
      target: clusterName(cluster),
      operation: null,
      actor: systemPrincipal("janitor"),
      resource: null,
    };
  }

  async #claimOf(cluster: string): Promise<Stored<ClusterClaim>> {
    const { claims } = this.#options.store;
    const name = clusterName(cluster);
    return await claims.get(name) ??
      await claims.create({ name, token: null, next: null, renewTime: 0, lost: null });
  }

  #write(
    { value, version }: Stored<ClusterClaim>,
    change: Partial<ClusterClaim>,
    events: readonly NewEvent[] = [],
  ): Promise<Stored<ClusterClaim>> {
    return this.#options.store.claims.replace({ ...value, ...change }, version, { events });
  }

  #markOf(cluster: string): ClusterMark {
    const { marks } = this.#options;
    const mark = marks.get(cluster);
    if (mark) return mark;
    const there = [...marks.keys()].map((name) => `'${name}'`).join(", ");
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "UNKNOWN_CLUSTER",
      message: `Cannot claim cluster '${cluster}': this worker has ${there}`,
      metadata: { cluster },
    });
  }
}

/** Whether another store has written the token on a cluster. */
const isForeign = ({ token, next }: ClusterClaim, seen: string): boolean =>
  seen !== "" && seen !== token && seen !== next;

/** The token in a mark's text, which also says when it was written. */
const tokenIn = (text: string): string => text.split(" ")[0] ?? "";

const isOutrun = (error: unknown): boolean =>
  isMpcError(error, "ABORTED", "ALREADY_EXISTS") ||
  isMpcError(error) && error.reason === "CLUSTER_CLAIMED_ELSEWHERE";

const outrun = (cluster: string): MpcError =>
  new MpcError("ABORTED", {
    reason: "CLUSTER_CONFLICT",
    message: `Cannot claim cluster '${cluster}': somebody else has just changed its claim`,
    metadata: { cluster },
  });

/** @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  const over = new AbortController();
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(aborted(signal)), {
      once: true,
      signal: over.signal,
    })
  );
  try {
    await Promise.race([work, stopped]);
  } finally {
    over.abort("the wait is over");
  }
}
