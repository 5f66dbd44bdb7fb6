/** An environment as the response of a Get. */
export const sampleEnvironment = {
  name: "environments/bench",
  uid: "01a20d61-5062-7546-a919-942ca07650b3",
  etag: "942ca07650b3-2",
  generation: 1n,
  labels: { team: "web" },
  createTime: { seconds: 1_893_456_000n, nanos: 0 },
  updateTime: { seconds: 1_893_456_000n, nanos: 0 },
  state: 2,
  conditions: [{
    type: "Ready",
    status: 1,
    reason: "Ready",
    observedGeneration: 1n,
    lastTransitionTime: { seconds: 1_893_456_000n, nanos: 0 },
  }],
  lastOperation: "operations/01a20d61-5062-7546-a919-942ca07650b3",
  quota: {},
};
