/**
 * Counts documents as the real backend does: one is scanned when it enters the query, before any filter (convex-facts 3.1).
 * The two doors to the database are wrapped; beside each query runs a shadow of it that has the same source and no filters.
 */
import { noticed } from "./people";

type Shadow = { id: number; returned: number; limit: number | null };
type Door = { syscall(op: string, args: string): string; asyncSyscall(op: string, args: string): Promise<string> };
type Page = { page: { _id: string }[]; isDone: boolean; continueCursor: string };

export const scanned = { documents: 0 };

export function install(): void {
  const global = globalThis as unknown as { Convex: Door };
  const door = global.Convex;
  const shadows = new Map<number, Shadow>();

  const open = (query: Record<string, unknown>): number =>
    JSON.parse(door.syscall("1.0/queryStream", JSON.stringify({ query: { ...query, operators: [] } }))).queryId;
  const next = async (id: number): Promise<{ value: { _id: string } | null; done: boolean }> =>
    JSON.parse(await door.asyncSyscall("1.0/queryStreamNext", JSON.stringify({ queryId: id })));

  async function advance(shadow: Shadow, found: { value: { _id: string } | null; done: boolean }): Promise<void> {
    if (!found.done) shadow.returned += 1;
    if (found.done && shadow.limit !== null && shadow.returned >= shadow.limit) return;
    for (let row = await next(shadow.id); !row.done; row = await next(shadow.id)) {
      scanned.documents += 1;
      if (!found.done && row.value?._id === found.value?._id) return;
    }
  }

  async function page(args: { query: Record<string, unknown>; cursor: string | null }, found: Page): Promise<void> {
    const ids: string[] = [];
    const shadow = open(args.query);
    for (let row = await next(shadow); !row.done; row = await next(shadow)) ids.push(row.value!._id);
    const from = args.cursor === null ? 0 : args.cursor === "_end_cursor" ? ids.length : ids.indexOf(lastOf(args.cursor)) + 1;
    const to = found.isDone ? ids.length : ids.indexOf(lastOf(found.continueCursor)) + 1;
    scanned.documents += Math.max(0, to - from);
  }

  const metered = {
    syscall(op: string, args: string): string {
      const result = door.syscall(op, args);
      if (op === "1.0/queryStream") {
        const { query } = JSON.parse(args);
        const limit = query.operators.find((one: object) => "limit" in one)?.limit ?? null;
        noticed(query, limit);
        shadows.set(JSON.parse(result).queryId, { id: open(query), returned: 0, limit });
      }
      return result;
    },
    async asyncSyscall(op: string, args: string): Promise<string> {
      if (op === "1.0/get") noticed(JSON.parse(args), 1);
      if (op === "1.0/queryPage") noticed(JSON.parse(args).query, null);
      const result = await door.asyncSyscall(op, args);
      const shadow = op === "1.0/queryStreamNext" ? shadows.get(JSON.parse(args).queryId) : undefined;
      if (shadow !== undefined) await advance(shadow, JSON.parse(result));
      if (op === "1.0/get" && result !== "null") scanned.documents += 1;
      if (op === "1.0/queryPage") await page(JSON.parse(args), JSON.parse(result));
      return result;
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
