import { EVERY_MISBEHAVIOUR } from "../../../tests/contract/misbehaviour_cases.ts";
import { providerContract } from "../../../tests/contract/provider_contract.ts";
import { FakeClock } from "../../../tests/fakes/fake_clock.ts";
import { FakeCluster } from "../../../tests/fakes/kubernetes/fake_cluster.ts";
import { KubernetesProvider } from "./mod.ts";

providerContract(
  "kubernetes, on the fake cluster",
  { misbehavingImages: EVERY_MISBEHAVIOUR },
  () => {
    const clock = new FakeClock();
    const cluster = new FakeCluster(clock);
    const provider = new KubernetesProvider({
      client: cluster.client,
      clock,
      installation: "test",
      charts: null,
    });
    return Promise.resolve({
      provider,
      advance: (ms) => clock.advance(ms),
      async close() {
        await provider.close();
        await cluster.close();
      },
    });
  },
);
