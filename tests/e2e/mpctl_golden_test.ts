import { GOLDEN_CASES } from "./mpctl_golden_cases.ts";
import { testMpctl } from "./mpctl_world.ts";

// Letter for letter the same by both.
for (const runtime of ["deno", "node"] as const) {
  testMpctl(`mpctl prints by ${runtime}`, GOLDEN_CASES, {
    runtime,
    platformArgs: ["--simulated-delays=none"],
  });
}
