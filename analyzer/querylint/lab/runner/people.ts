/** Who calls, which rows are theirs, and which rows are wanted: learned from what a function asks of the database for somebody unmistakable. */
import { jsonToConvex } from "convex/values";
import type { Json } from "./random";

export type Claim = "subject" | "tokenIdentifier" | "email" | "id";

/**
 * A field in which something is looked for: a claim of the caller, or where `claim` is null the `value`, as JSON. `sole` says that one row is
 * expected, so that everybody has their own; `range` that it is no equality that is asked for.
 */
export type Trace = { table: string; field: string; claim: Claim | null; value: unknown; sole: boolean; range: boolean };

/** Fields that are unique together: somebody asks for the one row that has given values in them. */
export type Key = { table: string; fields: string[] };

export type Table = { name: string; type: Json };

/** Names of fields that tell who somebody is, of fields that tell whose something is, and of tables of people. */
export const KEY = /token|clerk|external|email|subject/i;
export const OWNER = /user|owner|author|creator|createdby|member/i;
export const PEOPLE = /^(app_?)?(users?|accounts?|profiles?|members?)$/i;

const ISSUER = "https://lab.example";
const STRANGER = "somebody-unmistakable";
const ID = /^\d{8,}[a-zA-Z_]/;

let watching: Trace[] | null = null;
let watched = STRANGER;
let keys: Key[] = [];

/** What one person is known by. */
export function claimsOf(person: string): Record<Claim, string> {
  return { subject: person, tokenIdentifier: `${ISSUER}|${person}`, email: `${person}@lab.example`, id: person };
}

/** The claim that a field with such a name holds of a person. */
export function known(field: string, person: string): string {
  const claims = claimsOf(person);
  return /email/i.test(field) ? claims.email : /token/i.test(field) ? claims.tokenIdentifier : claims.subject;
}

/** The table whose ids callers are known by: such an id is read, or looked for in a field that holds ids. */
export function tableOfCallers(tables: readonly Table[], people: readonly Trace[]): string | null {
  for (const { table, field, claim } of people) {
    if (claim === null) continue;
    if (claim === "id") return table || (tables.find((one) => PEOPLE.test(one.name))?.name ?? null);
    const type = tables.find((one) => one.name === table)?.type;
    const held = type?.type === "object" ? type.value[field]?.fieldType : undefined;
    if (held?.type === "id") return held.tableName;
  }
  return null;
}

export function identityOf(person: string, id: string | null): Record<string, unknown> {
  const { subject, email } = claimsOf(person);
  const tokenIdentifier = `${ISSUER}|${id ?? subject}`;
  return { subject: id ?? subject, issuer: ISSUER, tokenIdentifier, email, emailVerified: true, name: person, nickname: person };
}

/** Begin to watch for what is looked up of somebody, of a stranger unless it is said of whom. */
export function watch(person = STRANGER, id: string | null = null): Record<string, unknown> {
  watching = [];
  keys = [];
  watched = person;
  return identityOf(person, id);
}

/** Watch no longer. */
export function unwatch(): void {
  watching = null;
}

export function learned(): Trace[] {
  return watching ?? [];
}

export function uniques(): Key[] {
  return keys;
}

/** A query, or the reading of one row, that is about to be asked. */
export function noticed(asked: any, limit: number | null): void {
  if (watching === null) return;
  const sole = limit !== null && limit <= 2;
  if (asked.id === STRANGER) watching.push({ table: asked.table ?? "", field: "_id", claim: "id", value: null, sole, range: false });
  const table = asked.source?.tableName ?? String(asked.source?.indexName ?? "").split(".")[0];
  const found = tests(asked);
  for (const { field, value, range } of found) {
    const claim = claimOf(value);
    if (claim !== null || !(typeof value === "string" && ID.test(value))) watching.push({ table, field, claim, value: claim === null ? value : null, sole, range });
  }
  if (limit === 2 && found.length > 0 && found.every((one) => !one.range)) keys.push({ table, fields: found.map((one) => one.field).sort() }); // `unique`
}

/** The value of a constant that is looked for; undefined stands for a field that is missing. */
export function constantOf(trace: Trace): unknown {
  const value = trace.value as any;
  return value !== null && typeof value === "object" && "$undefined" in value ? undefined : jsonToConvex(value);
}

function claimOf(value: unknown): Claim | null {
  const found = Object.entries(claimsOf(watched)).find(([, text]) => text === value);
  return found === undefined ? null : (found[0] as Claim);
}

/** What a query demands of fields, by ranges of indexes and by filters. */
function tests(part: any): { field: string; value: unknown; range: boolean }[] {
  if (part === null || typeof part !== "object") return [];
  if (typeof part.fieldPath === "string" && "value" in part) return [{ field: part.fieldPath, value: part.value, range: part.type !== "Eq" }];
  if (Array.isArray(part.$eq)) {
    const field = part.$eq.find((side: any) => side?.$field !== undefined)?.$field;
    const literal = part.$eq.find((side: any) => side?.$literal !== undefined)?.$literal;
    return field === undefined ? [] : [{ field, value: literal, range: false }];
  }
  return Object.values(part).flatMap(tests);
}
