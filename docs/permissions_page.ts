/** The page of roles and permissions, made from the tables of the code: `deno task docs`. */
import { BUILT_IN_ROLES } from "@mpc/access";
import { isScoped, METHOD_NAMES, type MethodNeed, needOf, PERMISSIONS } from "@mpc/services";
import { markdownTable } from "./markdown_table.ts";

const HEAD = `# Roles and permissions

Made from \`access/roles.ts\` and \`services/access/methods.ts\` by \`deno task docs\`; do not edit.
[access.md](access.md) says how roles are given.

## Roles

The roles that are built in. A permission of environments holds in the environments that a binding
names, the others only in bindings for the whole platform.
`;

const METHODS = `## Methods

What each RPC needs. A method that is not listed is refused.
`;

/** The page's text. */
export function permissionsPage(): Promise<string> {
  const roles = Object.entries(BUILT_IN_ROLES);
  const permissions = PERMISSIONS.map((permission) => [
    `\`${permission}\``,
    isScoped(permission) ? "environments" : "the platform",
    ...roles.map(([, list]) => list.includes(permission) ? "yes" : ""),
  ]);
  const methods = METHOD_NAMES.map((name) => {
    const [service = "", method = ""] = name.split("/");
    return [`\`${name}\``, inWords(needOf(service, method)!)];
  });
  return Promise.resolve([
    HEAD,
    markdownTable(["Permission", "Of", ...roles.map(([name]) => `\`${name}\``)], permissions),
    METHODS,
    markdownTable(["Method", "Needs"], methods),
  ].join("\n"));
}

function inWords({ needs, where, also }: MethodNeed): string {
  const base = needs === "public"
    ? "nothing, not even credentials"
    : needs === "authenticated"
    ? "credentials"
    : `\`${needs}\`${where === "list" ? " anywhere; shows what it covers" : ""}`;
  return also ? `${base}; also ${also}` : base;
}
