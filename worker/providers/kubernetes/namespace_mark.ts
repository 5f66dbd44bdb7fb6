import { isMpcError } from "@mpc/domain";
import type { ProviderCall } from "@mpc/services";
import type { ClusterMark, Mark } from "../cluster_mark.ts";
import { NAMESPACE } from "./client/kinds.ts";
import type { KubeClient } from "./client/kube_client.ts";
import {
  claimOf,
  CLAIMS,
  INSTALLATION,
  MANAGED_BY,
  MANAGER,
  RESTRICTED_PODS,
} from "./render/mod.ts";

/** The field manager of the annotation; that of the namespace would remove it when it applies. */
const managerOf = (cluster: string) => `mpc-claim-${cluster}`;

/**
 * The mark of an installation on a cluster: an annotation of an empty namespace of its own, which is
 * the only kind of object without a namespace that a worker may create.
 */
export class NamespaceMark implements ClusterMark {
  readonly #client: KubeClient;
  readonly #installation: string;

  constructor(client: KubeClient, installation: string) {
    this.#client = client;
    this.#installation = installation;
  }

  async read({ signal }: ProviderCall): Promise<Mark> {
    const { name } = this.#object().metadata;
    const namespace = await this.#client.get({ ...NAMESPACE, name }, { signal });
    const { annotations = {}, resourceVersion = "" } = namespace?.metadata ?? {};
    return { text: annotations[claimOf(this.#client.cluster)] ?? "", version: resourceVersion };
  }

  async replace(read: Mark, text: string, { signal }: ProviderCall): Promise<boolean> {
    const call = { force: false, dryRun: false, signal };
    const object = this.#object();
    if (read.version === "") {
      await this.#client.apply(object, call);
      const created = await this.read({ signal });
      return created.text === "" && await this.replace(created, text, { signal });
    }
    const { cluster } = this.#client;
    const metadata = { ...object.metadata, annotations: { [claimOf(cluster)]: text } };
    const { version: resourceVersion } = read;
    try {
      await this.#client.apply({ ...object, metadata }, {
        ...call,
        manager: managerOf(cluster),
        resourceVersion,
        force: true,
      });
      return true;
    } catch (error) {
      if (isMpcError(error, "ABORTED")) return false;
      throw error;
    }
  }

  #object() {
    const labels = {
      [MANAGED_BY]: MANAGER,
      [INSTALLATION]: this.#installation,
      [CLAIMS]: "true",
      // The worker may create no other namespaces.
      ...RESTRICTED_PODS,
    };
    return { ...NAMESPACE, metadata: { name: `mpc-${this.#installation}`, labels } };
  }
}
