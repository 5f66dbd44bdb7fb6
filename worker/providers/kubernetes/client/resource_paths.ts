import type { KubeCall } from "./kube_client.ts";
import { groupPath, keyOf, knownResource, type Resource } from "./kinds.ts";
import { fieldAt, type ObjectKind } from "./kube_object.ts";
import type { Requester } from "./requester.ts";
import { statusError } from "./status_error.ts";

/** Kubernetes, "The Kubernetes API", "Aggregated discovery": all groups in one answer. */
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** The parts of an aggregated discovery that are used. */
interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  /** The preferred version first. */
  readonly versions?: readonly {
    readonly version: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly responseKind?: { readonly kind?: string };
      readonly scope?: string;
      readonly verbs?: readonly string[];
    }[];
  }[];
}

/** The URL paths of kinds and objects. Asks the cluster about kinds that not every cluster has. */
export class ResourcePaths {
  readonly #requester: Requester;
  readonly #discovered = new Map<string, Resource>();

  constructor(requester: Requester) {
    this.#requester = requester;
  }

  /** @throws {MpcError} FAILED_PRECONDITION `KIND_UNKNOWN` */
  async of(
    kind: ObjectKind,
    at: { readonly namespace?: string | undefined; readonly name?: string },
    call: KubeCall,
  ): Promise<string> {
    const { plural, namespaced } = knownResource(kind) ?? await this.#discover(kind, call);
    const place = namespaced && at.namespace !== undefined ? `/namespaces/${at.namespace}` : "";
    const name = at.name === undefined ? "" : `/${encodeURIComponent(at.name)}`;
    return `${groupPath(kind.apiVersion)}${place}/${plural}${name}`;
  }

  /** The kinds in namespaces whose objects can be listed and deleted, each in its preferred version. */
  async namespacedKinds({ signal }: KubeCall): Promise<readonly ObjectKind[]> {
    const { cluster } = this.#requester;
    const asked = { action: "discover kinds", cluster };
    const lists = await Promise.all(
      ["/api", "/apis"].map((path) =>
        this.#requester.json({ method: "GET", path, signal, asked, accept: AGGREGATED })
      ),
    );
    const groups = lists.flatMap((list) =>
      fieldAt(list, "items") as GroupDiscovery[] | undefined ?? []
    );
    const kinds = new Map<string, ObjectKind>();
    for (const { metadata: { name: group = "" } = {}, versions = [] } of groups) {
      for (const { version, resources = [] } of versions) {
        for (const { resource, responseKind, scope, verbs = [] } of resources) {
          const isWanted = scope === "Namespaced" &&
            ["list", "delete"].every((verb) => verbs.includes(verb));
          if (!responseKind?.kind || !isWanted || kinds.has(`${group}/${resource}`)) continue;
          const apiVersion = group === "" ? version : `${group}/${version}`;
          const kind = { apiVersion, kind: responseKind.kind };
          this.#discovered.set(keyOf(kind), { plural: resource, namespaced: true });
          kinds.set(`${group}/${resource}`, kind);
        }
      }
    }
    return [...kinds.values()];
  }

  async #discover(kind: ObjectKind, { signal }: KubeCall): Promise<Resource> {
    const found = this.#discovered.get(keyOf(kind));
    if (found) return found;
    const { cluster } = this.#requester;
    const asked = { action: `discover kind '${keyOf(kind)}'`, cluster };
    const path = groupPath(kind.apiVersion);
    const list = await this.#requester.json({ method: "GET", path, signal, asked });
    const resources = fieldAt(list, "resources") as
      | { name: string; kind: string; namespaced: boolean }[]
      | undefined;
    const resource = resources?.find(({ name, kind: its }) =>
      its === kind.kind && !name.includes("/")
    );
    if (!resource) throw statusError({ code: 404 }, asked);
    const known = { plural: resource.name, namespaced: resource.namespaced };
    this.#discovered.set(keyOf(kind), known);
    return known;
  }
}
