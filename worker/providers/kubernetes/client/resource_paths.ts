import type { KubeCall } from "./kube_client.ts";
import { groupPath, keyOf, knownResource, type Resource } from "./kinds.ts";
import { fieldAt, type ObjectKind } from "./kube_object.ts";
import type { Requester } from "./requester.ts";
import { statusError } from "./status_error.ts";

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
