import { parseWorkloadSpec, type WorkloadSpec } from "@mpc/domain";
import fc from "fast-check";

const name = fc.stringMatching(/^[a-z]([a-z0-9]{0,18})$/);
const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/);
const path = fc.stringMatching(/^(\/[a-z0-9._-]{1,8}[a-z0-9]){1,3}$/);
const quantity = fc.constantFrom("1Gi", "64Mi", "1.5Gi", "100M");
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const reference = fc.oneof(fc.record({ secret: name }), fc.record({ config: name }));

const port = fc.record({
  port: fc.integer({ min: 1, max: 65_535 }),
  protocol: fc.constantFrom("TCP", "UDP"),
});

const envSource = fc.oneof(
  reference,
  fc.tuple(variable, reference).map(([variable, source]) => ({
    variable: `FROM_${variable}`,
    ...source,
  })),
);

const volume = (shared: boolean) =>
  fc.tuple(
    fc.record({ name, path, readOnly: fc.boolean() }),
    fc.oneof(
      fc.record({ scratch: fc.record({ size: orNull(quantity), inMemory: fc.boolean() }) }),
      fc.record({
        storage: fc.record({
          size: quantity,
          storageClass: orNull(name),
          shared: fc.constant(shared),
        }),
      }),
      reference,
    ),
  ).map(([fields, source]) => ({ ...fields, ...source }));

/** Any valid spec of an image; every value of `env` contains `s3cret`. */
export function arbitrarySpec(): fc.Arbitrary<WorkloadSpec> {
  return fc.record({
    image: fc.constantFrom("nginx:1.27", "registry.example.com:5000/a/b@sha256:" + "0".repeat(64)),
    ports: fc.uniqueArray(port, { maxLength: 4, selector: ({ port }) => port }),
    env: fc.dictionary(variable, fc.string().map((text) => `s3cret${text}`), { maxKeys: 3 }),
    envFrom: fc.uniqueArray(envSource, {
      maxLength: 3,
      selector: (source) => "variable" in source ? source.variable : source,
    }),
    resources: fc.record({
      cpu: fc.constantFrom("250m", "2", "0.5"),
      memory: orNull(quantity),
    }),
    command: fc.array(fc.string(), { maxLength: 2 }),
    args: fc.array(fc.string(), { maxLength: 2 }),
    disruptionBudget: orNull(fc.record({ maxUnavailable: fc.integer({ min: 1, max: 5 }) })),
    progressDeadlineMs: fc.integer({ min: 10_000, max: 3_600_000 }),
  }).chain((fields) => {
    const tcp = fields.ports.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
    const check = tcp.length === 0 ? fc.constant(null) : orNull(fc.record({
      path: path,
      port: fc.constantFrom(...tcp),
      periodMs: fc.integer({ min: 1_000, max: 60_000 }),
    }));
    const ingress = tcp.length === 0 ? fc.constant(null) : orNull(fc.record({
      host: name.map((name) => `${name}.example.com`),
      path: orNull(path).map((path) => path ?? ""),
      port: fc.constantFrom(...tcp),
      tlsSecret: orNull(name),
      ingressClass: orNull(name),
    }));
    const many = fc.oneof(
      fc.record({ replicas: fc.nat(9) }),
      fc.record({
        autoscaling: fc.record({
          minReplicas: fc.integer({ min: 1, max: 3 }),
          maxReplicas: fc.integer({ min: 3, max: 9 }),
        }),
      }),
    ).chain((copies) => volumes(true).map((volumes) => ({ ...copies, volumes })));
    const one = volumes(false).map((volumes) => ({ replicas: 1, volumes }));
    return fc.record({
      healthCheck: check,
      livenessCheck: check,
      ingress,
      copies: fc.oneof(one, many),
    })
      .map(({ copies, ...more }) =>
        parseWorkloadSpec("deploy workload", { ...fields, ...more, ...copies })
      );
  });
}

const volumes = (shared: boolean) =>
  fc.uniqueArray(volume(shared), { maxLength: 4, selector: ({ name }) => name }).map((volumes) =>
    volumes.map((volume, index) => ({ ...volume, path: `${volume.path}/${index}` }))
  );
