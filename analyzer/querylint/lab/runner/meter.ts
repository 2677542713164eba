/**
 * Counts what the database is asked as the real backend does: a document is read when it enters the query, before any filter, and when it is
 * patched, replaced or deleted (convex-facts 3.1). The two doors to the database are wrapped; beside each query that filters runs a shadow of
 * it that has the same source and no filters.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { noticed } from "./people";
import { turn } from "./world";

type Row = { _id: string };
type Shadow = { id: number | null; returned: number; limit: number | null; asked: boolean };
type Door = { syscall(op: string, args: string): string; asyncSyscall(op: string, args: string): Promise<string> };
type Page = { page: Row[]; isDone: boolean; continueCursor: string };

/** Calls of the database, and the round trips that they take: reads that are begun together share one, as they do in Convex. */
export const cost = { documents: 0, bytes: 0, calls: 0, trips: 0 };

/** What one transaction may read in Convex: documents, and their bytes. */
export const MOST = { documents: 32_000, bytes: 16 * 1024 * 1024 };

/**
 * Who asks, where that is measured: the documents and the bytes of the transaction so far, and whether it is one that the function on trial,
 * an action, has started. Asked by anybody else (a scheduled function, the lab itself), nothing is counted.
 */
export type Asking = { documents: number; bytes: number; within: boolean };
export const asking = new AsyncLocalStorage<Asking>();
export const limit = { passed: false };

/** Reads that wait for the same round trip. */
type Trip = { pending: number; over: Promise<void> };

const FROM_ACTIONS = "1.0/actions/";
const SHARED = new Set(["1.0/get", "1.0/count", "1.0/storageGetUrl"]);
const ALONE = new Set(["1.0/queryPage", "1.0/shallowMerge", "1.0/replace", "1.0/remove", "1.0/storageDelete", "1.0/cancel_job"]);
const WRITTEN = new Set(["1.0/insert", "1.0/schedule"]); // with the transaction, when it ends
const READ_FIRST = new Set(["1.0/shallowMerge", "1.0/replace", "1.0/remove"]);

let trip: Trip | null = null;

export function reset(): void {
  Object.assign(cost, { documents: 0, bytes: 0, calls: 0, trips: 0 });
  limit.passed = false;
}

/** Wait for the round trip that is about to begin, with all that is asked before everything else has to wait. */
function joined(): Trip {
  if (trip === null) {
    let end!: () => void;
    const begun: Trip = { pending: 0, over: new Promise<void>((then) => (end = then)) };
    const close = (): void => {
      if (begun.pending > 0) return turn(close);
      trip = null;
      end();
    };
    trip = begun;
    cost.trips += 1;
    turn(close);
  }
  return trip;
}

async function inTrip<T>(ask: () => Promise<T>): Promise<T> {
  const waiting = joined();
  waiting.pending += 1;
  try {
    return await ask();
  } finally {
    waiting.pending -= 1;
    await waiting.over;
  }
}

/** A function that an action calls: a transaction of its own, and a call of which only what it reads is counted. */
async function crossing<T>(call: () => Promise<T>): Promise<T> {
  const asked = asking.getStore();
  if (asked === undefined) return await call();
  const inner = (): Promise<T> => asking.run({ documents: 0, bytes: 0, within: true }, call);
  if (asked.within) return await inner();
  cost.calls += 1;
  return await inTrip(inner);
}

/** `measured` counts only what is asked by the function on trial; else everything is. */
export function install(measured = false): void {
  const global = globalThis as unknown as { Convex: Door; crossing: typeof crossing };
  if (measured) global.crossing = crossing;
  const door = global.Convex;
  const shadows = new Map<number, Shadow>();

  const open = (query: Record<string, unknown>): number =>
    JSON.parse(door.syscall("1.0/queryStream", JSON.stringify({ query: { ...query, operators: [] } }))).queryId;
  const next = async (id: number): Promise<{ value: Row | null; done: boolean }> =>
    JSON.parse(await door.asyncSyscall("1.0/queryStreamNext", JSON.stringify({ queryId: id })));

  function read(row: unknown): void {
    const asked = asking.getStore();
    if (measured && asked === undefined) return;
    cost.documents += 1;
    if (!measured || asked === undefined) return;
    const bytes = sizeOf(row);
    cost.bytes += bytes;
    asked.documents += 1;
    asked.bytes += bytes;
    if (asked.documents > MOST.documents || asked.bytes > MOST.bytes) {
      limit.passed = true;
      throw new Error("it reads more than Convex allows one transaction");
    }
  }

  async function advance(shadow: Shadow, found: { value: Row | null; done: boolean }): Promise<void> {
    if (!found.done) shadow.returned += 1;
    if (shadow.id === null) return found.done ? undefined : read(found.value);
    if (found.done && shadow.limit !== null && shadow.returned >= shadow.limit) return;
    for (let row = await next(shadow.id); !row.done; row = await next(shadow.id)) {
      read(row.value);
      if (!found.done && row.value?._id === found.value?._id) return;
    }
  }

  async function page(args: { query: Record<string, unknown>; cursor: string | null }, found: Page): Promise<void> {
    const rows: Row[] = [];
    const shadow = open(args.query);
    for (let row = await next(shadow); !row.done; row = await next(shadow)) rows.push(row.value!);
    const at = (cursor: string): number => rows.findIndex((row) => row._id === lastOf(cursor)) + 1;
    const from = args.cursor === null ? 0 : args.cursor === "_end_cursor" ? rows.length : at(args.cursor);
    const to = found.isDone ? rows.length : at(found.continueCursor);
    rows.slice(from, Math.max(from, to)).forEach(read);
  }

  async function perform(op: string, text: string, args: any): Promise<string> {
    if (READ_FIRST.has(op)) {
      const row = JSON.parse(await door.asyncSyscall("1.0/get", JSON.stringify({ table: args.table, id: args.id })));
      if (row !== null) read(row);
    }
    const result = await door.asyncSyscall(op, text);
    const shadow = op === "1.0/queryStreamNext" ? shadows.get(args.queryId) : undefined;
    if (shadow !== undefined) await advance(shadow, JSON.parse(result));
    if (op === "1.0/get" && result !== "null") read(JSON.parse(result));
    if (op === "1.0/queryPage") await page(args, JSON.parse(result));
    return result;
  }

  /** Whether a call is answered together with others: every read is, but the second and further rows of a query, which come with the first. */
  function shared(op: string, args: any): boolean {
    if (op !== "1.0/queryStreamNext") return SHARED.has(op) || op.startsWith(FROM_ACTIONS);
    const shadow = shadows.get(args.queryId);
    if (shadow === undefined || shadow.asked) return false;
    return (shadow.asked = true);
  }

  async function counted(op: string, text: string, args: any, asked: Asking): Promise<string> {
    const together = shared(op, args);
    if (asked.within) return await perform(op, text, args);
    if (together || ALONE.has(op) || WRITTEN.has(op)) cost.calls += 1;
    if (ALONE.has(op)) cost.trips += 1;
    return together ? await inTrip(() => perform(op, text, args)) : await perform(op, text, args);
  }

  const metered = {
    syscall(op: string, args: string): string {
      const result = door.syscall(op, args);
      if (op === "1.0/queryStream") {
        const { query } = JSON.parse(args);
        const most = query.operators.find((one: object) => "limit" in one)?.limit ?? null;
        const filters = query.operators.some((one: object) => "filter" in one);
        noticed(query, most);
        shadows.set(JSON.parse(result).queryId, { id: filters ? open(query) : null, returned: 0, limit: most, asked: false });
      }
      if (op === "1.0/queryCleanup") shadows.delete(JSON.parse(args).queryId);
      return result;
    },
    async asyncSyscall(op: string, text: string): Promise<string> {
      const args = JSON.parse(text);
      if (op === "1.0/get") noticed(args, 1);
      if (op === "1.0/queryPage") noticed(args.query, null);
      const asked = measured ? asking.getStore() : undefined;
      return asked === undefined ? await perform(op, text, args) : await counted(op, text, args, asked);
    },
    get jsSyscall() {
      return (door as unknown as { jsSyscall: unknown }).jsSyscall;
    },
  };
  Object.defineProperty(globalThis, "Convex", { get: () => metered, configurable: true });
}

/** The id of the document that a cursor of convex-test stands after: the last of the keys that it lists. */
function lastOf(cursor: string): string {
  return JSON.parse(JSON.parse(cursor).at(-1));
}

/** The bytes of a value, given as JSON, as Convex counts them (`getConvexSize`, which older versions of the package do not have). */
function sizeOf(value: any): number {
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "number") return 9;
  if (typeof value === "string") return 2 + length(value);
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + sizeOf(one), 2);
  if ("$integer" in value || "$float" in value) return 9;
  if (typeof value.$bytes === "string") return 2 + atob(value.$bytes).length;
  return Object.entries(value).reduce((sum, [name, one]) => sum + length(name) + 1 + sizeOf(one), 2);
}

function length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
