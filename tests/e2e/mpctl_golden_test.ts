import { GOLDEN_CASES } from "./mpctl_golden_cases.ts";
import { testMpctl } from "./mpctl_world.ts";

// The output is exactly the same on both runtimes.
for (const runtime of ["deno", "node"] as const) {
  testMpctl(`mpctl prints by ${runtime}`, GOLDEN_CASES, {
    runtime,
    platformArgs: ["--simulated-delays=none"],
  });
}
