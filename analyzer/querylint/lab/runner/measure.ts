/** What a call of a function costs on a database of a given size; what it writes is taken back, so that the next finds the same. */
import { clock, outside, reached, reseed, settled, START, still } from "./world";
import { convexTest } from "convex-test";
import { makeFunctionReference } from "convex/server";
import { convexToJson, type Value } from "convex/values";
import { modules } from "lab:project";
import { messageOf, Refusal, registered, schemaOf } from "./loading";
import { asking, cost, install, limit, reset } from "./meter";
import { identityOf, learned, uniques, unwatch, watch } from "./people";
import { Rows, type Plan } from "./rows";

/**
 * `key` names the database, which stays laid until another is asked for; where it is not, `plan` says how to lay it, and nothing else is done.
 * `near` are the tables that the function uses. `learn` asks what is looked for, by a stranger or by somebody who is known; a call with
 * arguments that have been `tried` (as JSON) is not made again.
 */
export type Request = {
  path: string;
  key: string;
  plan: Plan | null;
  variant: number;
  near: string[];
  learn: "stranger" | "known" | null;
  tried: string[];
};

const NOW = START + 3_600_000;
const PERSON = "key0";

/** Of the documents of convex-test, in the versions that `build.mjs` can teach to keep one: each that is written, and what it was before. */
const { journal } = globalThis as unknown as { journal?: { entries: [Record<string, unknown>, string, unknown][] | null } };

/** Whether what an action calls goes by a door that can be watched. */
const watched = "crossing" in globalThis;

let laid: { key: string; t: any; rows: Rows } | null = null;
let installed = false;

export async function measure({ path, key, plan, variant, near, learn, tried }: Request): Promise<unknown> {
  if (plan !== null) laid = await lay(key, plan, await schemaOf());
  if (plan !== null || laid?.key !== key) return { unlaid: plan === null };
  const fn = await registered(path);
  if (!fn.isQuery && !fn.isMutation && !watched) throw new Refusal("what an action calls cannot be counted with this version of convex-test");
  const { t, rows } = laid;
  clock.now = NOW;
  const given = rows.args(JSON.parse(fn.exportArgs()), variant, near);
  const args = JSON.stringify(convexToJson(given as Value));
  if (tried.includes(args)) return { repeated: true };
  const person = learn === null ? identityOf(PERSON, rows.self()) : learn === "stranger" ? watch() : watch(PERSON, rows.self());
  const caller = t.withIdentity(person);
  const named: any = makeFunctionReference(path);
  reset();
  reached.clear();
  reseed(1);
  let error: string | null = null;
  Object.assign(outside, { running: true, touched: "" });
  const call = (): Promise<unknown> => (fn.isQuery ? caller.query(named, given) : fn.isMutation ? caller.mutation(named, given) : caller.action(named, given));
  if (journal !== undefined) journal.entries = [];
  const ended = asking.run({ documents: 0, bytes: 0, within: false }, call).then(
    () => undefined,
    (problem: unknown) => void (error = messageOf(problem)),
  );
  await settled(ended, () => cost.calls + cost.documents);
  outside.running = false;
  still();
  const looks = learn === null ? { learned: [], keys: [] } : { learned: learned(), keys: uniques() };
  unwatch();
  if (journal !== undefined || !fn.isQuery) undo();
  return { ...cost, error, touched: outside.touched, limit: limit.passed, args, ...looks };
}

async function lay(key: string, plan: Plan, schema: any): Promise<{ key: string; t: any; rows: Rows }> {
  clock.now = START;
  reseed(1);
  const t: any = convexTest({ schema, modules });
  const tables = Object.entries<any>(schema.tables).map(([name, table]) => ({ name, type: table.validator.json }));
  const wide = Object.entries<any>(schema.tables).flatMap(([name, table]) =>
    (table.vectorIndexes ?? []).map((index: any) => [`${name}.${index.vectorField}`, index.dimensions] as const),
  );
  const rows = new Rows(tables, Object.fromEntries(wide), plan);
  await t.run(async () => await rows.lay());
  if (!installed) install(true);
  installed = true;
  return { key, t, rows };
}

/** Take back what has been written since the journal was begun; where there is none, the database has to be laid again. */
function undo(): void {
  const entries = journal?.entries ?? null;
  if (journal === undefined || entries === null) {
    laid = null;
    return;
  }
  journal.entries = null;
  for (const [documents, id, before] of entries.reverse()) {
    if (before === undefined) delete documents[id];
    else documents[id] = before;
  }
}
