import { type KubeApiServer, startKubeApiServer } from "./kube_api_server.ts";
import { startKubeControllers } from "./kube_controllers.ts";
import { startKwok } from "./kwok.ts";
import { requirePrograms } from "./requirements.ts";

/**
 * A control plane that is real and nodes that are not: what needs no container starts in seconds.
 * @throws {Error} where the machine lacks what it takes, or a server does not start
 */
export async function startKwokCluster(folder: string, nodes: number): Promise<KubeApiServer> {
  await requirePrograms("a Kubernetes control plane", ["go"]);
  await using started = new AsyncDisposableStack();
  const server = await startKubeApiServer(folder);
  started.defer(() => server.stop());
  const controllers = await startKubeControllers(server);
  started.defer(() => controllers.stop());
  const kwok = await startKwok(server, nodes);
  started.defer(() => kwok.stop());
  const all = started.move();
  return { ...server, stop: () => all.disposeAsync() };
}
