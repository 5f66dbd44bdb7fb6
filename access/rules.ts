/** The roles and bindings of an access file, ready for decisions. */
import type { Filter } from "@mpc/domain";
import type { Grant, Limits, Permission, Subject } from "@mpc/services";
import { ADMIN, BUILT_IN_ROLES } from "./roles.ts";
import type { AccessSettings } from "./settings.ts";

/** The environments that a binding is limited to. */
export interface Scope {
  /** Names, or beginnings of names with `*` at the end; null for all. */
  readonly names: readonly string[] | null;
  readonly selector: { readonly text: string; readonly filter: Filter } | null;
}

export interface Binding {
  readonly role: string;
  readonly permissions: ReadonlySet<Permission>;
  /** Null for the whole platform. */
  readonly scope: Scope | null;
  /** The principal, the group as `group:NAME`, or `*`. */
  readonly subject: string;
}

const EVERYBODY = "*";

const NONE: readonly Binding[] = [];

export class Rules {
  /** By principal, `*` included, and by group. Every call looks here. */
  readonly #byPrincipal = new Map<string, Binding[]>();
  readonly #byGroup = new Map<string, Binding[]>();
  /** Who can change what others may do: principals, and groups as `group:NAME`. */
  readonly admins: readonly string[];

  readonly #quotas: AccessSettings["quotas"];

  constructor({ roles, bindings, quotas }: Omit<AccessSettings, "authentication">) {
    this.#quotas = quotas;
    const permissions = new Map(
      Object.entries(BUILT_IN_ROLES).map(([name, list]) => [name, new Set(list)]),
    );
    for (const role of roles) permissions.set(role.name, new Set(role.permissions));
    const admins = new Set<string>();
    for (const { role, principals, groups, environments } of bindings) {
      const { names = null, selector = null } = environments ?? {};
      const scope = environments ? { names, selector } : null;
      const bind = (map: Map<string, Binding[]>, key: string, subject: string) => {
        const binding = { role, permissions: permissions.get(role) ?? new Set(), scope, subject };
        const known = map.get(key);
        if (known) known.push(binding);
        else map.set(key, [binding]);
        if (role === ADMIN && scope === null) admins.add(subject);
      };
      for (const principal of principals) bind(this.#byPrincipal, principal, principal);
      for (const group of groups) bind(this.#byGroup, group, `group:${group}`);
    }
    this.admins = [...admins];
  }

  /** The bindings of a subject; with a permission, those whose role has it. */
  bindingsOf({ principal, groups }: Subject, permission?: Permission): readonly Binding[] {
    const found: Binding[] = [];
    const add = (bindings: readonly Binding[] | undefined) => {
      for (const binding of bindings ?? NONE) {
        if (!permission || binding.permissions.has(permission)) found.push(binding);
      }
    };
    add(this.#byPrincipal.get(principal));
    for (const group of groups) add(this.#byGroup.get(group));
    add(this.#byPrincipal.get(EVERYBODY));
    return found;
  }

  /** What a subject may have and do at the same time. */
  limitsOf({ principal, groups }: Subject): Limits {
    const own = this.#quotas.filter((quota) =>
      quota.principals.some((it) => it === EVERYBODY || it === principal) ||
      quota.groups.some((it) => groups.includes(it))
    );
    const first = (limit: "environments" | "operations" | "callsPerSecond") =>
      own.find((quota) => quota[limit] !== undefined)?.[limit] ?? null;
    return {
      environments: first("environments"),
      operations: first("operations"),
      callsPerSecond: first("callsPerSecond"),
    };
  }
}

/** Whether the name patterns of a scope match an environment's id. */
export const namesMatch = ({ names }: Scope, environment: string): boolean =>
  names === null ||
  names.some((pattern) =>
    pattern.endsWith("*") ? environment.startsWith(pattern.slice(0, -1)) : environment === pattern
  );

export const toGrant = ({ role, permissions, scope, subject }: Binding): Grant => ({
  role,
  permissions: [...permissions],
  environments: scope && { names: scope.names ?? [], selector: scope.selector?.text ?? "" },
  subject,
});
