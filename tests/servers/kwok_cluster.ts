import { type KubeApiServer, startKubeApiServer } from "./kube_api_server.ts";
import { startKubeControllers } from "./kube_controllers.ts";
import { startKwok } from "./kwok.ts";
import { requirePrograms } from "./requirements.ts";

/**
 * A real control plane with simulated nodes. It needs no container, and starts in seconds.
 * @throws {Error} if the machine lacks a program, or a server does not start
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
