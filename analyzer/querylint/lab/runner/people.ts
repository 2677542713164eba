/** Who calls, which rows are theirs, and which rows are wanted: learned from what a function asks of the database for somebody unmistakable. */
import { jsonToConvex } from "convex/values";

export type Claim = "subject" | "tokenIdentifier" | "email" | "id";

/**
 * A field in which something is looked for: a claim of the caller, or where `claim` is null the `value`, as JSON. `sole` says that one row is
 * expected, so that everybody has their own.
 */
export type Trace = { table: string; field: string; claim: Claim | null; value: unknown; sole: boolean };

const ISSUER = "https://lab.example";
const STRANGER = "somebody-unmistakable";
const ID = /^\d{8,}[a-zA-Z_]/;

let watching: Trace[] | null = null;

/** What one person is known by. */
export function claimsOf(person: string): Record<Claim, string> {
  return { subject: person, tokenIdentifier: `${ISSUER}|${person}`, email: `${person}@lab.example`, id: person };
}

export function identityOf(person: string, id: string | null): Record<string, unknown> {
  const { subject, email } = claimsOf(person);
  const tokenIdentifier = `${ISSUER}|${id ?? subject}`;
  return { subject: id ?? subject, issuer: ISSUER, tokenIdentifier, email, emailVerified: true, name: person, nickname: person };
}

/** Begin to watch for what is looked up of a stranger. */
export function watch(): Record<string, unknown> {
  watching = [];
  return identityOf(STRANGER, null);
}

export function learned(): Trace[] {
  return watching ?? [];
}

/** A query, or the reading of one row, that is about to be asked. */
export function noticed(asked: any, limit: number | null): void {
  if (watching === null) return;
  const sole = limit !== null && limit <= 2;
  if (asked.id === STRANGER) watching.push({ table: asked.table ?? "", field: "_id", claim: "id", value: null, sole });
  const table = asked.source?.tableName ?? String(asked.source?.indexName ?? "").split(".")[0];
  for (const { field, value } of tests(asked)) {
    const claim = claimOf(value);
    if (claim !== null || !(typeof value === "string" && ID.test(value))) watching.push({ table, field, claim, value: claim === null ? value : null, sole });
  }
}

/** The value of a constant that is looked for; undefined stands for a field that is missing. */
export function constantOf(trace: Trace): unknown {
  const value = trace.value as any;
  return value !== null && typeof value === "object" && "$undefined" in value ? undefined : jsonToConvex(value);
}

function claimOf(value: unknown): Claim | null {
  const found = Object.entries(claimsOf(STRANGER)).find(([, text]) => text === value);
  return found === undefined ? null : (found[0] as Claim);
}

/** What a query demands of fields, by ranges of indexes and by filters. */
function tests(part: any): { field: string; value: unknown }[] {
  if (part === null || typeof part !== "object") return [];
  if (typeof part.fieldPath === "string" && "value" in part) return [{ field: part.fieldPath, value: part.value }];
  if (Array.isArray(part.$eq)) {
    const field = part.$eq.find((side: any) => side?.$field !== undefined)?.$field;
    const literal = part.$eq.find((side: any) => side?.$literal !== undefined)?.$literal;
    return field === undefined ? [] : [{ field, value: literal }];
  }
  return Object.values(part).flatMap(tests);
}
