/** Watches, lists, and the edit of one document. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const READS: readonly Mutant[] = [
  ...mutantsOf("services/events/watch_events.ts", ["tests/services/watch_events_test.ts"], [
    [
      "repeats what it told as existing",
      ">= resource.version) continue;",
      "> resource.version) continue;",
    ],
    [
      "leaves out the next change of what exists",
      ">= resource.version) continue;",
      ">= resource.version - 1) continue;",
    ],
    ["leaves out a deletion", ` && event.type !== "DELETED"`, ""],
    ["forgets one event too early what it told as existing", "cursor > listed", "cursor >= listed"],
    [
      "reads the head after what exists",
      "let cursor = token ?? head;",
      "let cursor = token ?? head + 1;",
    ],
    ["takes a token of another log", "token !== null && token > head", "false"],
    ["refuses the token of the head", "token > head)", "token >= head)"],
    [
      "watches names that begin the same",
      "name.startsWith(`${request.target}/`)",
      "name.startsWith(request.target)",
    ],
    ["gives its mark one event too late", "++unmarked >= MARK_EVERY", "++unmarked > MARK_EVERY"],
    [
      "counts for its mark over events that it told",
      "      unmarked = 0;\n      batch.push(watchedEvent(event));",
      "      batch.push(watchedEvent(event));",
    ],
    [
      "tells again what exists to a watch that resumes",
      `request.resumeToken === "" && !request.skipExisting`,
      "!request.skipExisting",
    ],
    ["tells kinds that were not asked for", "(resource && !wanted.has(resource.kind)) || ", ""],
  ]),
  ...mutantsOf("api/streams/deliver.ts", ["api/streams/deliver_test.ts"], [
    [
      "writes one message at a time",
      "bytes < CHUNK_BYTES && ",
      "bytes < 1 && ",
    ],
    ["writes a batch whole, however large", "bytes < CHUNK_BYTES && ", ""],
    [
      "writes on while the reader does not read",
      "      await drained(options);\n",
      "",
    ],
    [
      "writes the rest of a batch after the stream was cut off",
      "      if (signal.aborted) break;\n",
      "",
    ],
    [
      "never leaves a method that goes on after its end",
      "      if (signal.aborted) return;\n",
      "",
    ],
    ["writes to a reader that has gone", "      if (outlet.closed) return;\n", ""],
    [
      "never cuts off a reader that does not read",
      "setTimeout(() => cutOff(toApiError(readerTooSlow())), stallMs)",
      "setTimeout(() => {}, stallMs)",
    ],
  ]),
  ...mutantsOf("api/streams/delivery_pace.ts", ["api/streams/delivery_pace_test.ts"], [
    [
      "gives other work its share once",
      "others < REST_FACTOR * sliceMs && ",
      "others < sliceMs && ",
    ],
    ["waits for other work that there is none of", " && idle < IDLE_TIMERS", ""],
    [
      "prefers streams that ask again",
      "[...waiting.slice(given), ...this.#waiting]",
      "[...this.#waiting, ...waiting.slice(given)]",
    ],
    [
      "loses streams that wait",
      "[...waiting.slice(given), ...this.#waiting]",
      "[...this.#waiting]",
    ],
    [
      "delivers to all at once",
      " && this.#time.used() - start > SLICE_MS) break",
      " && false) break",
    ],
  ]),
  ...mutantsOf("services/resources/list_page.ts", ["tests/services/lists_test.ts"], [
    [
      "answers more than the largest page",
      "Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)",
      "pageSize || DEFAULT_PAGE_SIZE",
    ],
    [
      "answers a page of nothing where no size is given",
      "pageSize || DEFAULT_PAGE_SIZE",
      "pageSize",
    ],
    ["takes a token of another filter", "if (madeFor !== query)", "if (false)"],
    ["takes a token with too few keys", "keys.length === count && ", ""],
    ["goes on at the beginning", "    ...(after && { after }),\n", ""],
    [
      "says of every page that it is the last",
      `page.next ? encodeToken(page.next, query) : ""`,
      `""`,
    ],
  ]),
  ...mutantsOf("services/workloads/list_on_clusters.ts", [
    "tests/services/cluster_lists_test.ts",
  ], [
    [
      "goes on at a workload that the caller may not list",
      `filter: { op: "and", terms: [...terms, begun] },`,
      "filter: begun,",
    ],
    [
      "fails where one of many clusters does not answer",
      "if (single || !isUnreadable(error)) throw error;",
      "throw error;",
    ],
    [
      "begins a page with the end of the one before",
      "compareKeys(keys, after.keys) <= 0",
      "compareKeys(keys, after.keys) < 0",
    ],
    ["asks for every workload in one page", "if (asked >= MAX_WORKLOADS)", "if (asked < 0)"],
  ]),
  ...mutantsOf("services/resources/update_document.ts", [
    "services/resources/update_document_test.ts",
  ], [
    [
      "gives up when somebody else was first",
      `if (!isMpcError(error, "ABORTED")) throw error;`,
      "throw error;",
    ],
    [
      "writes an edit that changes nothing",
      "if (!edited) return current;",
      "if (!edited) throw new Error();",
    ],
    ["does not emit the event", "events: [eventOf(next, edited.event)],", ""],
  ]),
  ...mutantsOf("services/resources/read_all.ts", ["services/resources/read_all_test.ts"], [
    ["reads the first page only", "} while (after);", "} while (false);"],
    ["reads the first page again and again", "...(after && { after })", ""],
  ]),
];
