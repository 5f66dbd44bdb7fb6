/** Defaults for documents older than the cluster of environments and these parts of specs. */
const SPEC_DEFAULTS: Readonly<Record<string, string>> = {
  envFrom: "json('[]')",
  livenessCheck: "json('null')",
  volumes: "json('[]')",
  ingress: "json('null')",
  autoscaling: "json('null')",
  disruptionBudget: "json('null')",
  chart: "json('null')",
};

/** Adds the missing parts under a path, where the path exists. */
const fillIn = (table: string, path: string): string => {
  const defaults = Object.entries(SPEC_DEFAULTS).map(([key, value]) =>
    `'${path}.${key}', ${value}`
  );
  return `UPDATE ${table} SET body = json_insert(body, ${defaults.join(", ")})
    WHERE json_type(body, '${path}') = 'object'`;
};

export const clusterAndSpecParts: readonly string[] = [
  `UPDATE environments SET body = json_insert(body, '$.cluster', 'default')`,
  fillIn("workloads", "$.spec"),
  fillIn("revisions", "$.spec"),
  fillIn("operations", "$.input.wanted.spec"),
  fillIn("operations", "$.input.previous.spec"),
  `UPDATE operations SET body = json_insert(body, '$.input.cluster', 'default')
    WHERE json_extract(body, '$.kind') IN ('environment.create', 'environment.update')`,
];
