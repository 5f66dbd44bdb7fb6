import type { Store } from "@mpc/storage";

/** A store that calls `then` once, right after an operation's record was replaced. */
export function afterReplace(store: Store, then: () => Promise<unknown>): Store {
  const { operations } = store;
  let called = false;
  return {
    ...store,
    operations: {
      create: (...call) => operations.create(...call),
      get: (...call) => operations.get(...call),
      list: (...call) => operations.list(...call),
      count: (...call) => operations.count(...call),
      delete: (...call) => operations.delete(...call),
      findByRequestId: (...call) => operations.findByRequestId(...call),
      async replace(...call) {
        const stored = await operations.replace(...call);
        if (!called) {
          called = true;
          await then();
        }
        return stored;
      },
    },
  };
}
