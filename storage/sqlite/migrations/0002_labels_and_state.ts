/** Columns for the fields that filters use most: labels alone are shorter JSON than the body. */
export const labelsAndState: readonly string[] = ["environments", "workloads"].flatMap((table) => [
  `ALTER TABLE ${table} ADD COLUMN state TEXT`,
  `ALTER TABLE ${table} ADD COLUMN labels TEXT`,
  `UPDATE ${table} SET state = json_extract(body, '$.state'), labels = json_extract(body, '$.labels')`,
]);
