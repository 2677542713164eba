/** One function of a project on one set of documents, both of which a seed decides: what comes back, what is stored, what was scanned. */
import { clock, outside, reached, reseed, settled, START } from "./world"; // first: the others take the clock and the timers that it sets up
import { convexTest } from "convex-test";
import { makeFunctionReference } from "convex/server";
import { convexToJson, type Value } from "convex/values";
import { modules } from "lab:project";
import { Documents } from "./documents";
import { messageOf, registered, schemaOf } from "./loading";
import { measure } from "./measure";
import { cost, install, reset } from "./meter";
import { identityOf, learned, watch, type Trace } from "./people";
import { Random } from "./random";

/**
 * `tables` are those that get rows, null for all. `odd` lets numbers be NaN and -0, `learn` asks who is looked for, `full` wants the documents,
 * `hide` leaves some of them out.
 */
type Request = {
  path: string;
  seed: number;
  tables: string[] | null;
  odd: boolean;
  words: string[];
  people: Trace[];
  learn: boolean;
  full: boolean;
  hide: number[];
};

async function run({ path, seed, tables, odd, words, people, learn, full, hide }: Request): Promise<unknown> {
  reseed(seed);
  const [fn, schema] = [await registered(path), await schemaOf()];
  const t = convexTest({ schema, modules });
  const random = new Random(seed, odd, words, START);
  const filled = Object.entries<any>(schema.tables).filter(([name]) => tables === null || tables.includes(name));
  const documents = new Documents(random, filled.map(([name, table]) => ({ name, type: table.validator.json })), people, seed);
  await t.run(async (ctx: any) => await documents.lay(ctx.db, hide));
  install();
  clock.now += 1000;
  const person = documents.sole ? random.pick(["key0", "key0", "key0", "key0", "key0", "key1", null]) : random.pick(["a", "b", "ab", "key0", null]);
  const given = documents.args(JSON.parse(fn.exportArgs()), person ?? "key0");
  const self = documents.self();
  const who = learn ? watch() : person === null ? null : identityOf(person, self);
  const before = full ? await contents(t, schema) : [];
  const caller: any = who === null ? t : t.withIdentity(who as any);
  const named: any = makeFunctionReference(path);
  reset();
  reached.clear();
  reseed(seed);
  let result: unknown = null;
  let error: string | null = null;
  outside.running = true;
  const call: Promise<unknown> = fn.isQuery ? caller.query(named, given) : fn.isMutation ? caller.mutation(named, given) : caller.action(named, given);
  const ended = call.then(
    (value) => void (result = value === undefined ? null : convexToJson(value as Value)),
    (problem) => void (error = messageOf(problem)),
  );
  await settled(ended);
  outside.running = false;
  const scanned = cost.documents;
  const touched = outside.touched;
  const stored = fn.isQuery || touched !== "" ? null : await contents(t, schema);
  const answer = { result, error, scanned, stored, touched, reached: [...reached], rows: documents.rows.length, learned: learned() };
  return full ? { ...answer, documents: before, args: convexToJson(given as Value), caller: who } : answer;
}

/** Every row of every table, and every function that has been scheduled. */
async function contents(t: any, schema: any): Promise<[string, unknown][]> {
  const text: string = await t.run(async (ctx: any) => {
    const rows: [string, unknown][] = [];
    for (const name of Object.keys(schema.tables)) rows.push([name, convexToJson(await ctx.db.query(name).collect())]);
    rows.push(["_scheduled_functions", convexToJson(await ctx.db.system.query("_scheduled_functions").collect())]);
    return JSON.stringify(rows.filter(([, found]) => (found as unknown[]).length > 0)); // as text, for values have names with a dollar sign
  });
  return JSON.parse(text);
}

(globalThis as unknown as { bench: (line: string) => Promise<string> }).bench = async (line) => {
  try {
    const asked = JSON.parse(line);
    return JSON.stringify(await ("measure" in asked ? measure(asked.measure) : run(asked)));
  } catch (problem) {
    return JSON.stringify({ refused: messageOf(problem) });
  }
};
