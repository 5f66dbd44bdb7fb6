/** The guard of the gRPC door, and its shutdown. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const GRPC: readonly Mutant[] = [
  ...mutantsOf("api/grpc/connection_state.ts", ["api/grpc/frame_guard_test.ts"], [
    ["counts no PINGs", "        this.#pings.spend(this.#now());\n", ""],
    ["counts no SETTINGS", "    this.#settings.spend(this.#now());\n", ""],
    ["counts no RST_STREAMs", "        this.#resets.spend(this.#now());\n", ""],
    [
      "counts no idle frames",
      "    // Priorities, GOAWAY and unknown types: a server may ignore them.\n    this.#idleFrames.spend(this.#now());\n",
      "",
    ],
    [
      "passes a GOAWAY",
      `        if (length < 8) checkLength("GOAWAY", length, 8);
        break;`,
      "        return true;",
    ],
    [
      "passes an unexpected PING acknowledgement",
      "if (flags & FLAG.ACK) return this.#isAwaited(",
      "if (flags & FLAG.ACK) return true || this.#isAwaited(",
    ],
    ["accepts header blocks of any size", "this.#blockBytes > maxHeaderBytes || ", ""],
    [
      "accepts one continuation too many",
      "this.#block.length > maxContinuations + 1",
      "this.#block.length > maxContinuations + 2",
    ],
    ["accepts a window that overflows", "if (this.#sendWindow > MAX_WINDOW) {", "if (false) {"],
    [
      "accepts one stream too many",
      "this.#streams.size >= this.#limits.maxConcurrentStreams",
      "this.#streams.size > this.#limits.maxConcurrentStreams",
    ],
    ["waits forever for the end of a frame", "?? now) > frameTimeoutMs", "?? now) > Infinity"],
  ]),
  ...mutantsOf("api/grpc/frame_budget.ts", ["api/grpc/frame_budget_test.ts"], [
    [
      "allows one frame more than the budget",
      "      if (this.#left < 1) {",
      "      if (this.#left < 0) {",
    ],
    [
      "fills a budget over its burst",
      "Math.min(burst, this.#left + (now - this.#filledAt) / 1_000 * perSecond)",
      "this.#left + (now - this.#filledAt) / 1_000 * perSecond",
    ],
  ]),
  ...mutantsOf("api/grpc/running_calls.ts", ["api/grpc/shutdown_test.ts"], [
    ["counts a call as over when it begins", "    this.#count++;\n", ""],
  ]),
  ...mutantsOf("api/grpc/serve_grpc.ts", ["api/grpc/shutdown_test.ts"], [
    ["does not wait for running calls", "      await within(graceMs, calls.idle());\n", ""],
  ]),
];
