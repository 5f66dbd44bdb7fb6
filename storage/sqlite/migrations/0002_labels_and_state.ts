/**
 * What filters ask for most in columns of its own: labels alone are a small piece of JSON, the
 * body around them is not.
 */
export const labelsAndState: readonly string[] = ["environments", "workloads"].flatMap((table) => [
  `ALTER TABLE ${table} ADD COLUMN state TEXT`,
  `ALTER TABLE ${table} ADD COLUMN labels TEXT`,
  `UPDATE ${table} SET state = json_extract(body, '$.state'), labels = json_extract(body, '$.labels')`,
]);
