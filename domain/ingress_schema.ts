/** Schema of a workload's access from outside the cluster. */
import { z } from "zod";
import { objectNameSchema } from "./common_schema.ts";
import { isDnsSubdomain } from "./dns.ts";
import { check } from "./parse_input.ts";

/**
 * The allowed paths of an Ingress. Restricted, because controllers put them into their
 * configuration.
 */
const PATH = /^\/[A-Za-z0-9._~\/-]*$/;

export const ingressSchema = z.strictObject({
  host: z.string().refine(
    (host) => isDnsSubdomain(host.replace(/^\*\./, "")),
    check("HOST", "must be a DNS name such as shop.example.com or *.example.com"),
  ),
  path: z.string().max(512).refine(
    (path) => path === "" || (PATH.test(path) && !/\/\/|\/\.{1,2}(\/|$)/.test(path)),
    check(
      "PATH",
      "must begin with '/', and be of letters, digits and . _ ~ - without '..' or '//'",
    ),
  ).default("").transform((path) => path || "/"),
  /** 0 selects the first port; it is filled in later, when the ports are known. */
  port: z.int().default(0),
  tlsSecret: objectNameSchema,
  ingressClass: objectNameSchema,
});
