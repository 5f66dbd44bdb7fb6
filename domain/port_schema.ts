/** Schema of the ports that a workload listens on. */
import { z } from "zod";
import { check } from "./parse_input.ts";

/**
 * IANA service names (RFC 6335), with Kubernetes' rules: at least one letter, no two '-' in a row.
 */
const NAME = /^(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/;

const port = z.strictObject({
  name: z.string().refine(
    (name) => name === "" || NAME.test(name),
    check("PORT_NAME", "must be at most 15 lower case letters, digits and '-', with a letter"),
  ).optional(),
  port: z.int().refine((n) => n >= 1 && n <= 65_535, check("PORT_RANGE", "must be 1 to 65535")),
  protocol: z.enum(["TCP", "UDP", ""]).optional(),
}).transform(({ name, port, protocol }) => ({
  name: name || `port-${port}`,
  port,
  protocol: protocol || "TCP" as const,
}));

export const portsSchema = z.array(port).max(32).superRefine((ports, context) => {
  ports.forEach((port, index) => {
    const before = ports.slice(0, index);
    if (before.some((other) => other.port === port.port && other.protocol === port.protocol)) {
      const message = `repeats ${port.port}/${port.protocol}, must be unique`;
      context.addIssue({ code: "custom", path: [index, "port"], ...check("UNIQUE", message) });
    } else if (before.some((other) => other.name === port.name)) {
      const message = `repeats '${port.name}', must be unique`;
      context.addIssue({ code: "custom", path: [index, "name"], ...check("UNIQUE", message) });
    }
  });
});
