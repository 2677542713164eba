/** Every function of a project, before and after its fixes, on the same random documents: same results, same errors, no more documents scanned. */
import { convexTest } from "convex-test";
import { convexToJson, type Value } from "convex/values";
import { afterAll, expect, test, vi } from "vitest";
import { install, scanned } from "./meter";
import { columns, Random, type Json } from "./random";
import trials from "./work/trials.json";

type Trial = { name: string; order: boolean; errors: boolean; fewer: boolean; numbers: boolean };
type Modules = Record<string, () => Promise<Record<string, unknown>>>;
type Registered = { isQuery?: true; isMutation?: true; isAction?: true; exportArgs(): string };
type Outcome = { result: unknown; error: string | null; scanned: number; stored: string };

const SEEDS = Number(process.env.LAB_SEEDS ?? 10);
const START = 1_700_000_000_000;
const files = import.meta.glob("./work/*/*/convex/**/*.{ts,js}") as Modules;

vi.useFakeTimers({ toFake: ["Date"], now: START });
vi.spyOn(console, "log").mockImplementation(() => undefined);
vi.spyOn(console, "warn").mockImplementation(() => undefined);
vi.spyOn(console, "error").mockImplementation(() => undefined);

const totals = { calls: 0, results: 0, trials: 0, before: 0, after: 0 };

function modulesOf(trial: string, side: string): Modules {
  const prefix = `./work/${trial}/${side}/`;
  const mine = Object.entries(files).filter(([path]) => path.startsWith(prefix));
  return Object.fromEntries(mine.map(([path, load]) => [`./${path.slice(prefix.length)}`, load]));
}

async function functionsOf(modules: Modules): Promise<[string, Registered][]> {
  const found: [string, Registered][] = [];
  for (const path of Object.keys(modules).sort()) {
    if (/_generated|schema\.|crons\.|http\.|config\./.test(path)) continue;
    for (const [name, value] of Object.entries(await modules[path]!())) {
      if (typeof value === "function" && "exportArgs" in value) {
        found.push([`${path.replace(/^\.\/convex\//, "").replace(/\.[tj]s$/, "")}:${name}`, value as unknown as Registered]);
      }
    }
  }
  return found;
}

/** One function on one set of documents, which the seed alone decides. */
async function run(modules: Modules, schema: any, path: string, fn: Registered, args: Json, seed: number, numbers: boolean): Promise<Outcome> {
  const t = convexTest({ schema, modules });
  install();
  const random = new Random(seed, numbers);
  const known: Record<string, string[]> = {};
  let now = START;
  vi.setSystemTime(now);
  const sole = seed % 3 !== 0; // everybody has a key of their own, and most things belong to the first
  let serial = 0;
  let owner: any = null;
  const tables: [string, any][] = Object.entries(schema.tables);
  await t.run(async (ctx: any) => {
    const gone: Record<string, string> = {};
    const rounds = seed % 5 === 0 ? 0 : seed % 5 === 1 ? 1 : 2;
    const blanks = new Map<string, number>(tables.map(([name]) => [name, random.pick([0, 1, 3, 8, 20])]));
    const ids = (table: string): any => {
      const mine = known[table] ?? [];
      if (sole && table === "users" && mine.length > 0 && random.next() < 0.8) return mine[0];
      return mine.length > 0 && random.next() < 0.9 ? random.pick(mine) : (gone[table] ?? mine[0] ?? gone.any);
    };
    const insert = async (name: string, json: Json): Promise<string> => {
      vi.setSystemTime((now += 1 + random.below(3)));
      random.key = sole ? `key${serial++}` : "";
      return await ctx.db.insert(name, random.fields(columns(random, json), ids));
    };
    for (let round = 0; round < rounds; round++) {
      for (const [name, table] of tables) {
        for (let n = 0; n < blanks.get(name)!; n++) {
          try {
            (known[name] ??= []).push(await insert(name, table.validator.json));
          } catch {
            break; // it refers to a table that has no documents yet; the second round finds them
          }
        }
        if (round === 0 && (known[name]?.length ?? 0) > 1) {
          gone[name] = known[name]!.pop()!;
          await ctx.db.delete(gone[name]);
        }
      }
    }
    owner = known.users?.length ? await ctx.db.get(known.users[0]) : null;
  });
  random.key = "";
  vi.setSystemTime(now + 1000);
  const given = random.fields(columns(random, args), (table) => random.pick(known[table]?.length ? known[table] : ["10000nothing"]) as any);
  const key = Object.values(owner ?? {}).find((value) => typeof value === "string" && value.startsWith("key")) as string | undefined;
  const who = random.pick([key ?? "a", key ?? "b", key ?? "ab", null]);
  const mine = known.users?.length ? random.pick(known.users) : "a";
  const caller: any = who === null ? t : t.withIdentity({ subject: who, tokenIdentifier: who, issuer: "lab", email: who, name: mine });
  const reference = path as any;
  scanned.documents = 0;
  let result: unknown = null;
  let error: string | null = null;
  try {
    const named = (await import("convex/server")).makeFunctionReference(reference);
    result = fn.isQuery ? await caller.query(named, given) : fn.isMutation ? await caller.mutation(named, given) : await caller.action(named, given);
  } catch (problem) {
    error = problem instanceof Error ? problem.message : String(problem);
  }
  const cost = scanned.documents;
  const stored = fn.isQuery ? "" : JSON.stringify(await t.run(async (ctx: any) => {
    const rows = [];
    for (const [name] of tables) rows.push(convexToJson(await ctx.db.query(name).collect()));
    return JSON.stringify(rows);
  }));
  return { result, error, scanned: cost, stored };
}

/** A result in a form that can be compared: cursors and the state of pages belong to the index that is read. */
function plain(value: unknown, order: boolean): unknown {
  const json = value === undefined ? null : convexToJson(value as Value);
  const sort = (part: any): any => {
    if (Array.isArray(part)) {
      const items = part.map(sort);
      return order ? items : items.map((item) => JSON.stringify(item)).sort();
    }
    if (part === null || typeof part !== "object") return part;
    const kept = Object.entries(part).filter(([key]) => !["continueCursor", "splitCursor", "pageStatus"].includes(key));
    return Object.fromEntries(kept.map(([key, item]) => [key, sort(item)]));
  };
  return sort(json);
}

for (const trial of trials as Trial[]) {
  test(trial.name, async () => {
    const [before, after] = [modulesOf(trial.name, "before"), modulesOf(trial.name, "after")];
    const [schema, mended] = await Promise.all([before, after].map(async (m) => (await m["./convex/schema.ts"]!()).default as any));
    const sums = { before: 0, after: 0, results: 0 };
    for (const [path, fn] of await functionsOf(before)) {
      const [file, name] = path.split(":") as [string, string];
      const twin = (await (after[`./convex/${file}.ts`] ?? after[`./convex/${file}.js`])!())[name] as Registered;
      const args = JSON.parse(fn.exportArgs());
      if (fn.isAction && !args.value) continue;
      for (let seed = 0; seed < SEEDS; seed++) {
        const [was, is] = [await run(before, schema, path, fn, args, seed, trial.numbers), await run(after, mended, path, twin, args, seed, trial.numbers)];
        const where = `${path} on seed ${seed}`;
        totals.calls += 1;
        if (was.error?.includes("is not declared in the schema")) continue; // a fix may bring the index that was missing
        if (trial.errors) expect(is.error, where).toBe(was.error);
        else expect(is.error === null, where).toBe(was.error === null);
        if (was.error !== null) continue;
        expect(plain(is.result, trial.order), where).toEqual(plain(was.result, trial.order));
        if (trial.order) expect(is.stored, where).toBe(was.stored);
        expect(is.scanned, `${where}: documents scanned`).toBeLessThanOrEqual(was.scanned);
        sums.before += was.scanned;
        sums.after += is.scanned;
        sums.results += 1;
      }
    }
    totals.trials += 1;
    totals.results += sums.results;
    totals.before += sums.before;
    totals.after += sums.after;
    expect(sums.results, "some calls must succeed, or nothing is compared").toBeGreaterThan(0);
    if (trial.fewer) expect(sums.after, "documents scanned in all").toBeLessThan(sums.before);
  });
}

afterAll(() => {
  process.stdout.write(`lab: ${totals.trials} trials, ${totals.calls} calls before and after (${totals.results} without an error), documents scanned ${totals.before} and ${totals.after}\n`);
});
