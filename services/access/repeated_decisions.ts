import { AsyncLocalStorage } from "node:async_hooks";
import { isMpcError } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { Access, Authorizer } from "../ports/mod.ts";
import type { ListPermission } from "./permissions.ts";

/** The call that the running code belongs to. */
const CALLS = new AsyncLocalStorage<RepeatedDecisions>();

/** The decisions that let a long call begin, so that they can be made again while it runs. */
export class RepeatedDecisions {
  readonly #accesses = new Map<string, () => Promise<void>>();
  readonly #lists = new Map<ListPermission, () => Promise<unknown>>();

  /** Runs the code of the call. */
  run<R>(code: () => R): R {
    return CALLS.run(this, code);
  }

  /** Remembers that access was granted. */
  granted(access: Access, decide: () => Promise<void>): void {
    this.#accesses.set(JSON.stringify(access), decide);
  }

  /** Remembers that some documents are shown. */
  shown(permission: ListPermission, decide: () => Promise<unknown>): void {
    this.#lists.set(permission, decide);
  }

  /**
   * Decides again. A list of several kinds goes on while one of them may be seen.
   * @throws {MpcError} PERMISSION_DENIED `PERMISSION_MISSING`
   */
  async repeat(): Promise<void> {
    for (const decide of [...this.#accesses.values()]) await decide();
    let denied: unknown;
    for (const decide of [...this.#lists.values()]) {
      try {
        await decide();
        return;
      } catch (error) {
        if (!isMpcError(error, "PERMISSION_DENIED")) throw error;
        denied = error;
      }
    }
    if (denied !== undefined) throw denied;
  }
}

/** An authorizer whose decisions about a long call are remembered. */
export function rememberingAuthorizer(authorizer: Authorizer): Authorizer {
  const authorize = async (call: RepeatedDecisions, caller: Caller, access: Access) => {
    await authorizer.authorize(caller, access);
    call.granted(access, () => authorizer.authorize(caller, access));
  };
  return {
    authorize(caller, access) {
      const call = CALLS.getStore();
      return call ? authorize(call, caller, access) : authorizer.authorize(caller, access);
    },
    async visible(caller, permission) {
      const call = CALLS.getStore();
      const visible = await authorizer.visible(caller, permission);
      call?.shown(permission, () => authorizer.visible(caller, permission));
      return visible;
    },
    check: (...call) => authorizer.check(...call),
    grants: (...call) => authorizer.grants(...call),
  };
}
