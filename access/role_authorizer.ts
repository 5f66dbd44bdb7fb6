import { environmentIdOf, environmentName, type Filter, matches, MpcError } from "@mpc/domain";
import {
  type Access,
  type Authorizer,
  type Caller,
  type Decision,
  type Grant,
  isScoped,
  type ListPermission,
  type Subject,
} from "@mpc/services";
import type { Store } from "@mpc/storage";
import { type Binding, namesMatch, type Rules, type Scope, toGrant } from "./rules.ts";
import { visibleFilter } from "./visible_filter.ts";

/** Decides by the roles that an access file binds; what no role allows is denied. */
export class RoleAuthorizer implements Authorizer {
  readonly #rules: () => Rules;
  readonly #store: Store;

  /** @param rules the rules as they are now */
  constructor(rules: () => Rules, store: Store) {
    this.#rules = rules;
    this.#store = store;
  }

  async authorize(caller: Caller, access: Access): Promise<void> {
    if (caller.kind === "system") return;
    if (await this.#allowing(caller, access)) return;
    throw this.#denied(caller, access);
  }

  async visible(caller: Caller, permission: ListPermission): Promise<Filter | null> {
    if (caller.kind === "system") return null;
    const bindings = this.#rules().bindingsOf(caller, permission);
    if (bindings.length === 0) throw this.#denied(caller, { permission, resource: null });
    const scopes = bindings.map(({ scope }) => scope);
    if (scopes.includes(null)) return null;
    return await visibleFilter(this.#store, caller, permission, scopes.filter((it) => it !== null));
  }

  async check(subject: Subject, access: Access): Promise<Decision> {
    const allowing = await this.#allowing(subject, access);
    if (allowing) {
      const reason = `role '${allowing.role}', bound to ${allowing.subject}, allows it`;
      return { allowed: true, reason, grantedBy: [] };
    }
    const { admins } = this.#rules();
    return { allowed: false, reason: missing(access), grantedBy: admins };
  }

  grants(subject: Subject): readonly Grant[] {
    return this.#rules().bindingsOf(subject).map(toGrant);
  }

  /** A binding that allows it; undefined for none. */
  async #allowing(subject: Subject, access: Access): Promise<Binding | undefined> {
    const { permission, resource, labels, actor } = access;
    const bindings = this.#rules().bindingsOf(subject, permission);
    const everywhere = bindings.find(({ scope }) => scope === null);
    if (everywhere || !isScoped(permission)) return everywhere;
    if (!resource?.startsWith("environments/")) return undefined;
    const id = environmentIdOf(resource);
    const named = bindings.filter(({ scope }) => scope && namesMatch(scope, id));
    const [first] = named;
    const byName = named.find(({ scope }) => scope?.selector === null);
    if (byName || !first) return byName;
    // The environment of an operation may be gone, with its labels.
    if (permission === "operations.get" && actor === subject.principal) return first;
    const stored = await this.#store.environments.get(environmentName(id));
    // Of an environment that is to change its labels, the old ones and the new ones must be right.
    const wanted = [stored?.value.labels, labels].filter((it) => it !== undefined);
    const found = wanted.map((labels) => named.find(({ scope }) => selects(scope, labels)));
    return found.every((it) => it !== undefined) ? found[0] : undefined;
  }

  #denied(caller: Subject, access: Access): MpcError {
    const { admins } = this.#rules();
    const { permission, resource, named } = access;
    const givers = admins.filter((admin) => admin !== "*").slice(0, MAX_NAMED);
    const ask = givers.length > 0 ? givers.join(" or ") : "the operators of the platform";
    return new MpcError("PERMISSION_DENIED", {
      reason: "PERMISSION_MISSING",
      message: `Cannot do this as '${caller.principal}': ${missing(access)}; ` +
        `ask ${ask} for a role that has it`,
      metadata: {
        permission,
        principal: caller.principal,
        resource: named ?? resource ?? "",
        grantedBy: givers.join(","),
      },
    });
  }
}

/** The number of principals and groups that a refusal names. */
const MAX_NAMED = 5;

const selects = (scope: Scope | null, labels: Readonly<Record<string, string>>): boolean =>
  scope?.selector ? matches(scope.selector.filter, { labels }) : false;

/** What is missing, said without a look at what exists. */
function missing({ permission, resource, named }: Access): string {
  if (named !== undefined) return `permission '${permission}' is missing for '${named}'`;
  const where = isScoped(permission) && resource?.startsWith("environments/")
    ? `in environment '${environmentIdOf(resource)}'`
    : "on the platform";
  return `permission '${permission}' is missing ${where}`;
}
