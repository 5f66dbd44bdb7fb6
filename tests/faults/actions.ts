import fc from "fast-check";
import { CHAOS, type Mischief } from "../fakes/chaos.ts";

/** The environments of a sequence. */
export const ENVIRONMENTS = ["a", "b"] as const;

/** The workloads in each environment. */
export const WORKLOADS = ["x", "y"] as const;
const IMAGES = ["nginx:1", "nginx:2", "nginx:missing", "nginx:flaky"] as const;

/** One action of a sequence. */
export type Action =
  | { readonly do: "create" | "update"; readonly env: string }
  | {
    readonly do: "delete";
    readonly env: string;
    readonly force: boolean;
    readonly abandon: boolean;
  }
  | { readonly do: "deploy"; readonly env: string; readonly id: string; readonly image: string }
  | { readonly do: "remove"; readonly env: string; readonly id: string; readonly abandon: boolean }
  | { readonly do: "cancel" | "retry"; readonly which: number }
  | { readonly do: "fault"; readonly mischief: Mischief }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "settle" | "crash" | "janitor" | "repeat" };

const env = fc.constantFrom(...ENVIRONMENTS);
const id = fc.constantFrom(...WORKLOADS);
const which = fc.nat(30);

/** Any action; likely ones more often. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("create" as const), env }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("update" as const), env }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("delete" as const),
      env,
      force: fc.boolean(),
      abandon: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("deploy" as const),
      env,
      id,
      image: fc.constantFrom(...IMAGES),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("remove" as const), env, id, abandon: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel" as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retry" as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("fault" as const),
      mischief: fc.constantFrom(...CHAOS),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.oneof(fc.nat(40_000), fc.nat(7_200_000)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "settle" as const,
        "crash" as const,
        "janitor" as const,
        "repeat" as const,
      ),
    }),
  },
);
